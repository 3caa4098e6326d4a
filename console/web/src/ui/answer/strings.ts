// Texts of the form that answers an approval.
export const strings = {
  comment: 'Comment', optional: 'optional', payload: 'Answer', send: 'Send the answer',
  thanks: 'Thank you: the answer is in, and the run goes on.',
  assigned: (who: string) => `This is asked of ${who}; your key may look at it, but not answer it.`,
} as const
