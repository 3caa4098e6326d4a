// A schedule as its form holds it: texts, as they were typed.
import type { Schedule } from '../api/schedules'
import { instant, known, local } from '../time/zone'

export interface Draft {
  workflow: string; cron: string; timezone: string; version: string; overlap: string
  catchUp: string; window: string; max: string; gap: string; repeat: string; jitter: string; starts: string; ends: string; input: string
}

export const empty = (workflow: string, timezone: string): Draft => ({
  workflow, cron: '0 2 * * *', timezone, version: '', overlap: 'skip', catchUp: 'latest', window: '3600', max: '100',
  gap: 'shift', repeat: 'first', jitter: '0', starts: '', ends: '', input: '',
})

// zoneOf is the zone that a form's bounds are read in: its own, or UTC while that is not one.
const zoneOf = (timezone: string) => (known(timezone) ? timezone : 'UTC')

export function draftOf(s: Schedule, input: string): Draft {
  const bound = (at: string | null) => (at ? local(Date.parse(at), zoneOf(s.timezone)) : '')
  return {
    workflow: s.workflow_id, cron: s.cron_expression, timezone: s.timezone, version: s.version ?? '', overlap: s.overlap_policy,
    catchUp: s.catch_up.policy, window: String(s.catch_up.window_seconds), max: String(s.catch_up.max), gap: s.dst_gap, repeat: s.dst_repeat,
    jitter: String(s.jitter_seconds), starts: bound(s.starts_at), ends: bound(s.ends_at), input,
  }
}

// rebase carries what was written over to a schedule that has changed meanwhile: what was not
// touched takes the new value.
export function rebase(draft: Draft, former: Draft, next: Draft): Draft {
  const result = { ...next }
  for (const name of Object.keys(draft) as (keyof Draft)[]) if (draft[name] !== former[name]) result[name] = draft[name]
  return result
}

// bodyOf writes the request as JSON. The input goes as it was typed: its numbers are the
// author's, and no input is none. Of an edit only what differs from former is sent.
export function bodyOf(d: Draft, former?: Draft): string {
  const zone = zoneOf(d.timezone)
  const bound = (text: string) => (text ? new Date(instant(text, zone)).toISOString() : null)
  const number = (text: string) => (text.trim() === '' ? 0 : Number(text))
  const fields: [boolean, string, unknown][] = [
    [d.cron !== former?.cron, 'cron_expression', d.cron],
    [d.timezone !== former?.timezone, 'timezone', d.timezone],
    [d.version !== (former?.version ?? ''), 'version', d.version || null],
    [d.overlap !== former?.overlap, 'overlap_policy', d.overlap],
    [d.catchUp !== former?.catchUp || d.window !== former.window || d.max !== former.max, 'catch_up', { policy: d.catchUp, window_seconds: number(d.window), max: number(d.max) }],
    [d.gap !== former?.gap, 'dst_gap', d.gap],
    [d.repeat !== former?.repeat, 'dst_repeat', d.repeat],
    [d.jitter !== former?.jitter, 'jitter_seconds', number(d.jitter)],
    [d.starts !== (former?.starts ?? ''), 'starts_at', bound(d.starts)],
    [d.ends !== (former?.ends ?? ''), 'ends_at', bound(d.ends)],
  ]
  const parts = fields.filter(([differs]) => differs).map(([, name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
  if (d.input.trim() !== (former?.input ?? '').trim()) {
    parts.push(`"input_data":${d.input.trim() || 'null'}`)
  }
  return `{${parts.join(',')}}`
}
