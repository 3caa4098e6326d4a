import { expect, it } from 'vitest'
import { addDays, addMonths, dayName, monthName, validMonth, weeksOf } from './month'

it('has whole weeks from Monday', () => {
  const weeks = weeksOf('2026-03')
  expect(weeks).toHaveLength(6)
  expect(weeks[0]).toEqual([null, null, null, null, null, null, '2026-03-01'])
  expect(weeks[5]).toEqual(['2026-03-30', '2026-03-31', null, null, null, null, null])
  expect(weeksOf('2027-02').flat()).toHaveLength(28)
  expect(weeksOf('2028-02').flat().filter(Boolean)).toHaveLength(29)
})
it('moves', () => {
  expect(addMonths('2026-12', 1)).toBe('2027-01')
  expect(addMonths('2026-01', -1)).toBe('2025-12')
  expect(addDays('2026-02-28', 1)).toBe('2026-03-01')
})
it('names', () => {
  expect(monthName('2026-03')).toBe('March 2026')
  expect(dayName('2026-03-29')).toBe('Sunday 29 March 2026')
})
it('takes months only', () => {
  for (const text of ['2026-13', '2026-1', 'x', '', '1970-01', '2026-03-01']) expect(validMonth(text)).toBe(false)
  expect(validMonth('2026-03')).toBe(true)
})
