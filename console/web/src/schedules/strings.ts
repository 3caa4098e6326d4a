import type { Kind } from './presets'

// Texts of the screens of schedules.
export const text = {
  title: 'Schedules',
  create: 'New schedule',
  edit: 'Edit schedule',
  none: 'No schedules yet',
  noneHelp: 'A schedule runs a workflow at the times of a cron expression. Each due time ends up in its ledger, with its run or with the reason why there is none.',
  curl: `curl -H "Authorization: Bearer $KEY" -d '{"cron_expression":"0 2 * * *"}' …/api/workflows/SLUG/schedules`,
  unnamed: 'The expression cannot be read any more',
  kinds: {
    minutes: 'Every few minutes', hourly: 'Every hour', daily: 'Every day', weekdays: 'Every weekday, Monday to Friday', weekly: 'Every week',
    monthly: 'Every month', fields: 'Five fields', text: 'Text, such as @every 90m',
  } satisfies Record<Kind, string>,
  days: ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'],
  fields: ['Minute', 'Hour', 'Day of month', 'Month', 'Day of week'],
  both: 'Day of month and day of week are both given: either fits.',
  change: 'Show the next clock change',
  now: 'Show from now',
  noChange: 'The clocks of this zone do not change in the next two years.',
  untouched: 'The change of the clock touches none of these times.',
  clash: 'The run before would still be open',
  pauseHelp: 'No due times until it is resumed; nothing is caught up then. Open runs go on.',
  deleteHelp: 'Its due times end; its open runs go on. What waits in its queue is skipped. Its ledger can no longer be read.',
  backfillHelp: 'Runs past due times, whether or not they ran before.',
  before: (zone: string) => `Times of ${zone}; after the first and up to the second, both in the past.`,
  broken: 'The input is not JSON yet: see the field.',
  changed: 'Someone has changed this schedule since you opened it. Nothing was saved; what you wrote is still here.',
} as const

interface Choice { value: string; word: string; help: string }

export const overlap: Choice[] = [
  { value: 'skip', word: 'Skip', help: 'While an earlier run is open, the due time gets no run.' },
  { value: 'queue', word: 'Queue', help: 'It waits until the earlier run has ended; at most 100 wait.' },
  { value: 'allow', word: 'Allow', help: 'It starts at once, beside the earlier run.' },
  { value: 'cancel_running', word: 'Cancel the earlier run', help: 'The open run is cancelled, then the new one starts.' },
]

export const catchUp: Choice[] = [
  { value: 'latest', word: 'The latest', help: 'One run for the latest due time that was missed.' },
  { value: 'all', word: 'All', help: 'A run for each that was missed, one after another.' },
  { value: 'none', word: 'None', help: 'What was missed is skipped.' },
]

export const gap: Choice[] = [
  { value: 'shift', word: 'Right after', help: 'A time that the clock jumps over is due at the first moment after the jump.' },
  { value: 'skip', word: 'Not that day', help: 'A time that the clock jumps over is left out.' },
]

export const repeat: Choice[] = [
  { value: 'first', word: 'The first time', help: 'A time that comes twice is due the first time.' },
  { value: 'last', word: 'The second time', help: 'A time that comes twice is due the second time.' },
  { value: 'both', word: 'Both times', help: 'A time that comes twice is due twice.' },
]

const reasons: Record<string, string> = {
  overlap: 'An earlier run was open',
  queue_full: '100 due times waited already',
  missed: 'No node could fire it in time',
  later_due_time: 'Missed; the run of a later due time stands for it',
  catch_up_none: 'Missed, and nothing is caught up',
  outside_window: 'Missed too long ago to be caught up',
  over_max: 'Missed, with more than are caught up',
  superseded: 'A later due time took its place',
  backfill: 'Asked for by a backfill',
  schedule_ended: 'The schedule was deleted while it waited',
  workflow_draft: 'The workflow was a draft',
  workflow_paused: 'The workflow was paused',
  workflow_archived: 'The workflow was archived',
  invalid_input: 'The version refused the input',
  concurrency_limit: 'The workflow allows no more runs at one time',
  version_not_found: 'The version was not there',
}

// reasonWords says why a due time has no run, or what it waited for; a code that is not known
// stays as it is.
export const reasonWords = (code: string) => reasons[code] ?? code
