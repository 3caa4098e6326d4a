import { expect, it } from 'vitest'
import { stack, top } from './scale'

const hour = (completed: number, failed: number, cancelled = 0) => ({ at: '2026-03-02T08:00:00.000Z', started: 0, completed, failed, cancelled })

it('ends the scale at a round number that no bar exceeds', () => {
  expect(top([])).toBe(4)
  expect(top([hour(3, 0), hour(10, 3)])).toBe(20)
  expect(top([hour(499, 1)])).toBe(500)
  for (let n = 1; n < 3_000; n++) expect(top([hour(n, 0)])).toBeGreaterThanOrEqual(n)
})
it('shows one failed run among thousands', () => {
  const bars = stack(hour(9_999, 1), 10_000, 100)
  expect(bars.find((b) => b.kind === 'failed')).toEqual({ kind: 'failed', y: 0, height: 2 })
})
it('leaves out what did not happen, and never leaves the field', () => {
  expect(stack(hour(0, 0), 4, 100)).toEqual([])
  for (const b of stack(hour(1, 1, 2), 4, 100)) expect(b.y).toBeGreaterThanOrEqual(0)
  expect(stack(hour(1, 1, 2), 4, 100).map((b) => [b.kind, b.y])).toEqual([['completed', 75], ['cancelled', 25], ['failed', 0]])
})
