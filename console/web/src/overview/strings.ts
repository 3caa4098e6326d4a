// The texts of the overview.
import { duration } from '../time/time'

const many = (n: number, one: string, more: string) => `${n} ${n === 1 ? one : more}`

export const text = {
  title: 'Overview',
  failing: 'Failing workflows', failingHelp: 'Their last run failed.', mine: 'Waiting for me', late: 'Late schedules', slots: 'Slots',
  lateHelp: 'Their last due time was late or skipped.',
  slotsNone: 'Another server drives the runs.',
  slotsUsed: (used: number, of: number) => `${used} of ${of}`,
  queue: (queued: number, oldest: number | null) => queued === 0 ? 'Nothing is queued.' : `${queued} queued${oldest === null ? '' : `, the oldest for ${duration(oldest)}`}`,
  open: (running: number, waiting: number) => `${running} running, ${waiting} waiting`,
  hours: 'Runs of the last 24 hours', failingNow: 'Failing now', due: 'Next due', changed: 'Changed lately',
  noneFailing: 'No workflow fails.', noneDue: 'No schedule is due.', noRuns: 'No run ended in the last 24 hours.',
  ended: { completed: 'Completed', failed: 'Failed', cancelled: 'Cancelled' },
  hourLabel: (hour: string, parts: string) => `${hour}: ${parts}`,
  sum: (completed: number, failed: number, cancelled: number) => `${completed} completed, ${failed} failed, ${cancelled} cancelled`,
  failed24: (n: number) => `${many(n, 'run', 'runs')} failed in 24 hours`,
  hour: 'Hour', version: (n: number) => `version ${n}`,
  empty: 'Nothing runs here yet', emptyHelp: 'A workflow is a list of steps that Heddle runs durably. Three steps to the first run:',
  steps: ['Install a template.', 'Run the workflow that it makes.', 'Look at the run: each step, what it got and what it gave.'],
  templates: 'Choose a template', own: 'Write a workflow',
} as const
