import { describe, expect, it } from 'vitest'
import { parse } from '../api/lossless'
import { flatten, stepsOf } from '../layout/definition'
import { edgeKey, functional, inWords, markOf, nearChanges, unionOf } from './changes'
import { folded, words, type Piece } from './words'

const join = (pieces: Piece[], kind: Piece['kind']) => pieces.filter((p) => p.kind === 'same' || p.kind === kind).map((p) => p.text).join('')

describe('words', () => {
  it('makes both texts again of its pieces', () => {
    const alphabet = ['a', 'foo', ' ', '\n', '<b>', '9007199254740993', '\u2028', 'é', '{{ input.x }}', '"', '']
    let seed = 3
    const pick = () => { seed = (seed * 1664525 + 1013904223) >>> 0; return alphabet[seed % alphabet.length] as string }
    for (let i = 0; i < 300; i++) {
      const a = Array.from({ length: i % 12 }, pick).join(''), b = Array.from({ length: (i * 7) % 13 }, pick).join('')
      const pieces = words(a, b)
      expect(join(pieces, 'gone')).toBe(a)
      expect(join(pieces, 'new')).toBe(b)
    }
  })
  it('finds the one word', () => {
    expect(words('echo careful >&2', 'echo quick >&2')).toEqual([{ kind: 'same', text: 'echo ' }, { kind: 'gone', text: 'careful' }, { kind: 'new', text: 'quick' }, { kind: 'same', text: ' >&2' }])
  })
  it('gives up on long texts that share nothing, and is right all the same', () => {
    const a = Array.from({ length: 3000 }, (_, i) => 'a' + i).join(' '), b = Array.from({ length: 3000 }, (_, i) => 'b' + i).join(' ')
    const pieces = words(a, b)
    expect(join(pieces, 'gone')).toBe(a)
    expect(join(pieces, 'new')).toBe(b)
  })
  it('folds what is the same', () => {
    const text = 'x '.repeat(200)
    expect(folded(words(text + 'a' + text, text + 'b' + text)).reduce((n, p) => n + p.text.length, 0)).toBeLessThan(120)
  })
})

describe('changes', () => {
  it('says paths in words', () => {
    expect(inWords('/config/headers/a~1b')).toBe('config › headers › a/b')
    expect(inWords('/config/cases/2/when')).toBe('config › cases › [2] › when')
    expect(markOf('unheard').word).toBe('unheard')
    expect(functional('Moved 1 step. No functional change')).toBe(false)
  })

  const of = (steps: unknown[]) => stepsOf(parse(JSON.stringify({ steps })))
  it('unites two definitions under the later names', () => {
    const before = of([{ id: 'load_order' }, { id: 'stock', depends_on: ['load_order'] }, { id: 'old', depends_on: ['stock'] }])
    const after = of([{ id: 'fetch_order' }, { id: 'stock', depends_on: ['fetch_order'] }, { id: 'ship', depends_on: ['fetch_order'] }])
    const u = unionOf(before, after, [{ step_id: 'ship', change: 'added' }, { step_id: 'old', change: 'removed' }, { step_id: 'fetch_order', change: 'renamed', previous_id: 'load_order' }])
    expect(flatten(u.steps).map((s) => s.id)).toEqual(['fetch_order', 'stock', 'ship', 'old'])
    expect([...u.gone]).toEqual([edgeKey('stock', 'old')])
    expect([...u.fresh]).toEqual([edgeKey('fetch_order', 'ship')])
    expect(u.marks.get('old')).toBe('removed')
  })
  it('shows a removed step in the loop that it was in, and a removed loop whole', () => {
    const loop = (id: string, ...steps: unknown[]) => ({ id, type: 'loop', config: { items: '1', steps } })
    const before = of([loop('each', { id: 'x' }, { id: 'y' }), loop('gone', { id: 'z' })])
    const after = of([loop('each', { id: 'x' })])
    const u = unionOf(before, after, [{ step_id: 'y', change: 'removed' }, { step_id: 'gone', change: 'removed' }, { step_id: 'z', change: 'removed' }])
    expect(u.steps.map((s) => [s.id, s.body.map((b) => b.id)])).toEqual([['each', ['x', 'y']], ['gone', ['z']]])
  })
  it('keeps what is beside a change', () => {
    const steps = Array.from({ length: 10 }, (_, i) => ({ id: 's' + i, depends_on: i ? ['s' + (i - 1)] : [] }))
    const u = unionOf(of(steps), of(steps), [{ step_id: 's5', change: 'modified' }])
    expect(nearChanges(u).map((s) => s.id)).toEqual(['s4', 's5', 's6'])
  })
})
