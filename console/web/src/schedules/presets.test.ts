import { expect, it } from 'vitest'
import { build, kinds, read, usual } from './presets'

it('reads what it writes', () => {
  const preset = { every: 20, minute: 5, time: '23:09', days: [0, 3], day: 31 }
  for (const kind of kinds.filter((k) => k !== 'fields' && k !== 'text')) {
    const text = build(kind, preset)
    const got = read(text)
    expect(got.kind).toBe(kind)
    expect(build(kind, got.preset)).toBe(text)
  }
})
it('leaves the rest as text', () => {
  for (const text of ['@every 90m', '@daily', '', '* *', '0 0 * * * *']) expect(read(text)).toEqual({ kind: 'text', preset: usual })
  for (const text of ['0 0 13 * 5', '*/7 * * * *', '60 1 * * *', '0 24 * * *', '0 2 * 1 *', '0 2 32 * *', '0 2 * * 7']) expect(read(text).kind).toBe('fields')
})
it('takes any white space', () => expect(read('  30   2 * *  * ')).toEqual({ kind: 'daily', preset: { ...usual, time: '02:30' } }))
