import { expect, it } from 'vitest'
import { bodyOf, draftOf, empty, rebase } from './draft'
import type { Schedule } from '../api/schedules'

it('sends the input as it was typed', () => {
  const body = bodyOf({ ...empty('w', 'UTC'), input: ' {"a":9007199254740993,"b":1.0} ' })
  expect(body).toContain('"input_data":{"a":9007199254740993,"b":1.0}')
})
it('reads bounds in the zone of the schedule', () => {
  const body = JSON.parse(bodyOf({ ...empty('w', 'Europe/Berlin'), starts: '2026-03-30T00:00', ends: '2026-12-01T00:00' })) as Record<string, unknown>
  expect(body['starts_at']).toBe('2026-03-29T22:00:00.000Z')
  expect(body['ends_at']).toBe('2026-11-30T23:00:00.000Z')
})
it('sends of an edit what differs', () => {
  const s = { workflow_id: 'wf', cron_expression: '0 2 * * *', timezone: 'Europe/Berlin', version: '2', overlap_policy: 'skip', catch_up: { policy: 'latest', window_seconds: 3600, max: 100 }, dst_gap: 'shift', dst_repeat: 'first', jitter_seconds: 0, starts_at: '2026-03-29T22:00:00.000Z', ends_at: null } as Schedule
  const former = draftOf(s, '{\n  "a": 1.0\n}')
  expect(bodyOf(former, former)).toBe('{}')
  expect(JSON.parse(bodyOf({ ...former, version: '', starts: '', input: '', max: '5' }, former))).toEqual({
    version: null, starts_at: null, input_data: null, catch_up: { policy: 'latest', window_seconds: 3600, max: 5 },
  })
})
it('keeps what was written on a schedule that changed meanwhile', () => {
  const former = empty('w', 'UTC')
  const next = { ...former, timezone: 'Europe/Berlin', overlap: 'allow' }
  expect(rebase({ ...former, overlap: 'queue', input: '{}' }, former, next)).toEqual({ ...next, overlap: 'queue', input: '{}' })
})
