// Texts of the inbox and of an approval's page.
export const strings = {
  title: 'Approvals', status: 'Status', open: 'Open', answered: 'Answered', expired: 'Expired', cancelled: 'Cancelled', any: 'All',
  mine: 'Asked of me', order: 'Order', oldest: 'Oldest first', soonest: 'Expires first', search: 'Prompt or workflow',
  none: 'Nothing waits for an answer', noneHelp: 'A step that waits for a signal asks here, and its run goes on with the answer.', noneEver: 'There are none',
  asked: 'Asked', expires: 'Expires', never: 'never', question: 'Question', workflow: 'Workflow', outcome: 'Answer', step: 'Step', startedBy: 'Run started by', run: 'Run',
  onTimeout: (what: string) => (what === 'continue' ? 'without an answer the run goes on' : 'without an answer the run fails'),
  context: 'What to look at', omitted: (bytes: string) => `${bytes} bytes are too many to be shown here.`,
  answeredBy: (who: string) => `${who} answered`, somebody: 'Somebody', expiredText: 'Nobody answered in time.', cancelledText: 'The run no longer waits for it.',
  saidComment: 'Comment', back: 'All approvals',
} as const
