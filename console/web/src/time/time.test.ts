import { expect, it } from 'vitest'
import { absolute, duration, relative } from './time'

it('says durations in two units at most', () => {
  const cases: [number, string][] = [[0, '0.0 s'], [0.42, '0.4 s'], [9.1, '9.1 s'], [59, '59 s'], [60, '1 min'], [250, '4 min 10 s'], [11_100, '3 h 5 min'], [187_200, '2 d 4 h'], [86_400, '1 d']]
  for (const [s, want] of cases) expect(duration(s)).toBe(want)
})
it('says how far a time is', () => {
  expect(relative(0, 250_000)).toBe('4 minutes ago')
  expect(relative(7_200_000, 0)).toBe('in 2 hours')
  expect(relative(0, 300)).toBe('now')
})
it('shows the zone', () => {
  expect(absolute(1_700_000_000_000, true)).toBe('14 Nov 2023, 22:13:20 UTC')
})
