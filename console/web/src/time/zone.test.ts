import { expect, it } from 'vitest'
import { instant, known, local, nextChange, offset, startOf, zoned } from './zone'

const at = Date.parse

it('shows what clocks show', () => {
  expect(local(at('2026-03-29T00:30:00Z'), 'Europe/Berlin')).toBe('2026-03-29T01:30')
  expect(offset(at('2026-01-01T00:00:12Z'), 'Asia/Kathmandu')).toBe((5 * 60 + 45) * 60_000)
  expect(offset(at('2026-07-01T00:00:00Z'), 'America/New_York')).toBe(-4 * 3_600_000)
})
it('knows when a local time is', () => {
  expect(instant('2026-03-29T03:30', 'Europe/Berlin')).toBe(at('2026-03-29T01:30:00Z'))
  expect(instant('2026-03-29T02:30', 'Europe/Berlin')).toBe(at('2026-03-29T01:30:00Z')) // jumped over
  expect(instant('2026-10-25T02:30', 'Europe/Berlin')).toBe(at('2026-10-25T00:30:00Z')) // twice: the first
  expect(instant('2026-11-01T01:30', 'America/New_York')).toBe(at('2026-11-01T05:30:00Z'))
})
it('knows when a day begins', () => {
  expect(startOf('2026-03-29', 'Europe/Berlin')).toBe(at('2026-03-28T23:00:00Z'))
  expect(startOf('2026-09-06', 'America/Santiago')).toBe(at('2026-09-06T04:00:00Z')) // no midnight
  expect(startOf('2026-11-01', 'America/Havana')).toBe(at('2026-11-01T04:00:00Z')) // two midnights
})
it('finds the next change of the clock', () => {
  expect(nextChange(at('2026-02-01T00:00:00Z'), 'Europe/Berlin')).toBe(at('2026-03-29T01:00:00Z'))
  expect(nextChange(at('2026-03-29T01:00:00Z'), 'Europe/Berlin')).toBe(at('2026-10-25T01:00:00Z'))
  expect(nextChange(at('2026-03-01T00:00:00Z'), 'Australia/Lord_Howe')).toBe(at('2026-04-04T15:00:00Z'))
  expect(nextChange(at('2026-03-01T00:00:00Z'), 'UTC')).toBe(null)
})
it('knows zones', () => {
  expect(known('Europe/Berlin')).toBe(true)
  expect(known('Europe/Nowhere')).toBe(false)
  expect(known('')).toBe(false)
})
it('writes a time with its own offset', () => {
  expect(zoned('2026-03-29T03:00:00+02:00')).toBe('Sun 29 Mar 2026, 03:00 +02:00')
  expect(zoned('2026-01-01T23:59:30Z')).toBe('Thu 1 Jan 2026, 23:59:30 UTC')
})
