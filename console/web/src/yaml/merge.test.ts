import { describe, expect, it } from 'vitest'
import { print } from '../api/lossless'
import type { Change } from '../diff/changes'
import { flatten } from '../layout/definition'
import { read } from './document'
import { merged, rowsOf } from './merge'

const base = 'name: A\ntimeout_seconds: 1.0\nsteps:\n  # one\n  - id: a\n    type: script\n    config:\n      script: |\n        echo a\n  - id: b\n    type: script\n    depends_on: [a]\n    config: {script: b}\n'
const mine = base.replace('# one', '# mine').replace('script: b}', 'script: mine}')
const ids = (text: string) => flatten(read(text).steps).map((s) => s.id)

describe('merged', () => {
  it('takes what they changed and keeps what I wrote', () => {
    const theirs = 'name: B\ninput: {type: object}\nsteps:\n- id: a\n  type: script\n  config:\n    script: |\n      echo theirs\n\n      echo more\n- id: c\n  type: wait\n  config:\n    seconds: 1\n- id: b\n  type: script\n  depends_on: [a]\n  config: {script: b}\n'
    const { text, left } = merged(mine, theirs, [
      { step_id: 'c', change: 'added' }, { step_id: 'a', change: 'modified' }, { step_id: null, change: 'settings', fields: [{ path: '/name' }, { path: '/input' }, { path: '/timeout_seconds' }] },
    ])
    expect(left).toEqual([])
    expect(ids(text)).toEqual(['a', 'c', 'b'])
    expect(text).toContain('# mine')
    expect(text).toContain('script: mine}')
    const want = read(theirs).definition as { steps: unknown[] }, got = read(text).definition as { steps: unknown[]; timeout_seconds?: unknown }
    expect(read(text).broken, text).toBe(false)
    expect(got.steps.slice(0, 2)).toEqual(want.steps.slice(0, 2))
    expect(got).toMatchObject({ name: 'B', input: { type: 'object' } })
    expect('timeout_seconds' in got).toBe(false)
  })
  it('takes removed and renamed steps, and says what has no place', () => {
    const theirs = base.replace('id: a', 'id: first').replace('[a]', '[first]')
    const { text } = merged(mine, theirs, [{ step_id: 'first', change: 'renamed', previous_id: 'a' }])
    expect(ids(text)).toEqual(['first', 'b'])
    expect(ids(merged(mine, base, [{ step_id: 'a', change: 'removed' }]).text)).toEqual(['b'])
    expect(merged(mine, theirs, [{ step_id: 'nobody', change: 'removed' }]).left.length).toBe(1)
  })
  it('takes blocks into JSON and JSON into blocks', () => {
    const json = print(read(base).definition)
    const theirs = base.replace('echo a', 'echo 9007199254740993')
    const change: Change[] = [{ step_id: 'a', change: 'modified' }]
    expect(JSON.parse(merged(json, theirs, change).text)).toMatchObject({ steps: [{ config: { script: 'echo 9007199254740993\n' } }, {}] })
    const back = merged(base, print(read(theirs).definition), change).text
    expect(read(back).definition).toEqual(read(theirs).definition)
    expect(back).toContain('# one')
  })
})

describe('rowsOf', () => {
  const m = (id: string | null, after: number, path = '/x'): Change => ({ step_id: id, change: id === null ? 'settings' : 'modified', fields: [{ path, after }] })
  it('clashes where both changed one step differently, or a loop and what is in it', () => {
    const rows = rowsOf([m('a', 1), m('b', 1), m('each', 1), m('c', 1)], [m('a', 2), m('b', 1), m('in', 1), m('d', 1)], new Map([['in', 'each']]))
    expect(rows.map((r) => [r.key, r.clash])).toEqual([['a', true], ['b', false], ['each', true], ['c', false], ['d', false]])
  })
  it('lets settings that are not the same ones stand beside each other', () => {
    expect(rowsOf([m(null, 1, '/name')], [m(null, 2, '/input/required')], new Map()).map((r) => r.clash)).toEqual([false])
    expect(rowsOf([m(null, 1, '/input/a')], [m(null, 2, '/input/b')], new Map()).map((r) => r.clash)).toEqual([true])
  })
})
