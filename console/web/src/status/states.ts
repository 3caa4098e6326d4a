// The one map of states: word, shape and colour token. A state that is not here is drawn
// grey with its raw word.
export interface State { word: string; tone: string; shape: string }

const known: Record<string, State> = {
  pending: { word: 'Pending', tone: 'line', shape: 'dot' },
  queued: { word: 'Queued', tone: 'grey', shape: 'ring' },
  running: { word: 'Running', tone: 'blue', shape: 'half' },
  retrying: { word: 'Retrying', tone: 'amber', shape: 'again' },
  waiting: { word: 'Waiting', tone: 'violet', shape: 'clock' },
  pausing: { word: 'Pausing', tone: 'grey', shape: 'pause' },
  paused: { word: 'Paused', tone: 'grey', shape: 'pause' },
  completed: { word: 'Completed', tone: 'green', shape: 'check' },
  failed: { word: 'Failed', tone: 'red', shape: 'cross' },
  cancelling: { word: 'Cancelling', tone: 'grey', shape: 'slash' },
  compensating: { word: 'Compensating', tone: 'amber', shape: 'again' },
  cancelled: { word: 'Cancelled', tone: 'grey', shape: 'slash' },
  skipped: { word: 'Skipped', tone: 'line', shape: 'ring' },
  open: { word: 'Open', tone: 'violet', shape: 'clock' },
  answered: { word: 'Answered', tone: 'green', shape: 'check' },
  expired: { word: 'Expired', tone: 'grey', shape: 'clock' },
  active: { word: 'Active', tone: 'green', shape: 'dot' },
  inactive: { word: 'Inactive', tone: 'grey', shape: 'pause' },
  draft: { word: 'Draft', tone: 'amber', shape: 'ring' },
  ended: { word: 'Ended', tone: 'grey', shape: 'slash' },
  archived: { word: 'Archived', tone: 'grey', shape: 'slash' },
}

export function stateOf(raw: string): State {
  return known[raw] ?? { word: raw, tone: 'grey', shape: 'dot' }
}
