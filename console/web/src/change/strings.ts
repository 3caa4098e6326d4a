export const strings = {
  title: {
    publish: (slug: string, v: number) => `Publish v${v} of ${slug}?`,
    rollback: (slug: string, v: number) => `Roll ${slug} back to v${v}?`,
    save: (slug: string) => `Save a version of ${slug}?`,
  },
  rollbackHelp: 'A new version with the definition of the old one is made and published; history only grows.',
  summary: 'Summary',
  summaryHelp: 'Kept with the version, and shown in its list.',
  reason: 'Reason',
  reasonHelp: 'Kept on the audit trail.',
  cancel: 'Cancel',
  saveOnly: 'Save only',
  impact: 'Impact',
  accept: 'Publish it although this is so',
  look: 'Look again',
  textOnly: 'The definition is that of the latest version: only its text is replaced, and no version is made.',
  newer: 'Another change came first.',
} as const
