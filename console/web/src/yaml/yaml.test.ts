import { describe, expect, it } from 'vitest'
import { print, type Value } from '../api/lossless'
import { tokens } from '../diff/changes'
import { flatten } from '../layout/definition'
import { read, rangeAt, stepAround, valueOf, placeAt } from './document'
import { addStep, applied, listText, removeKey, removeStep, setValue, type Edit, type Written } from './edit'

const text = `# Ask payments before you change this
name: Order # the shop's
timeout_seconds: 1.0
input: {type: object, properties: {big: {default: 9007199254740993}}}
steps:
  # first
  - id: load # loads
    type: script
    config:
      language: sh
      # careful
      script: |
        echo "a"

        echo b
      env: { A: "1", B: 'it''s' }
    depends_on:
      - one
      - two
  - {id: ask, type: wait, config: {signal: {name: approved}}}
  - id: each
    type: loop
    config:
      items: "3"
      steps:
      - id: inner
        type: http_request
        config:
          url:

# the end
finally:
  - id: z
    type: webhook
`

// changed returns the numbers of the lines (from 1) that are not the same in both, by common
// beginning and end.
function touched(before: string, after: string): string[] {
  const a = before.split('\n'), b = after.split('\n')
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  return a.slice(head, a.length - tail)
}

const at = (source: string, pointer: string): Value => valueOf(placeAt(read(source).doc, tokens(pointer))?.node)

describe('read', () => {
  it('keeps numbers, and finds what stands where', () => {
    const r = read(text)
    expect(r.broken).toBe(false)
    expect(print(at(text, '/timeout_seconds'))).toBe('1.0')
    expect(print(at(text, '/input/properties/big/default'))).toBe('9007199254740993')
    expect(flatten(r.steps).map((s) => s.id)).toEqual(['load', 'ask', 'each', 'inner', 'z'])
    const range = rangeAt(r, '/steps/0/config/language')
    expect(text.slice(range?.from, range?.to)).toBe('sh')
    expect(stepAround(r, text.indexOf('http_request'))?.id).toBe('inner')
    expect(stepAround(r, text.indexOf('echo b'))?.id).toBe('load')
    expect(rangeAt(r, '/steps/7')).toBe(null)
  })
  it('reads what it can of a broken text', () => {
    for (const broken of ['', 'name: [', 'a: b: c', '- x\n - y', '{', 'steps:\n  - id: a\n   type: b', '"', '\t', 'x: &a 1\ny: *a', '__proto__: {id: 1}']) expect(() => read(broken)).not.toThrow()
  })
})

describe('edits', () => {
  const cases: [string, Written, Value, number][] = [
    ['/steps/0/config/language', { text: 'python' }, 'python', 1],
    ['/steps/0/config/language', { text: 'yes' }, 'yes', 1],
    ['/steps/0/config/language', { text: 'a: b # c' }, 'a: b # c', 1],
    ['/steps/0/config/script', { text: 'one\n\n  two\n' }, 'one\n\n  two\n', 4],
    ['/steps/0/config/script', { text: ' leading\nx' }, ' leading\nx', 4],
    ['/steps/0/config/script', { text: 'single' }, 'single', 4],
    ['/steps/0/config/env/B', { text: "that's" }, "that's", 1],
    ['/steps/0/config/env/A', { text: '{{ input.x }}' }, '{{ input.x }}', 1],
    ['/steps/0/config/env/C', { text: 'new' }, 'new', 1],
    ['/steps/0/name', { text: 'Load it' }, 'Load it', 0],
    ['/steps/0/retry/max_attempts', { raw: '5' }, 5, 0],
    ['/steps/0/depends_on', { raw: '[one, three]' }, ['one', 'three'], 3],
    ['/steps/1/config/signal/prompt', { text: 'Ship <b>it</b>?\u2028' }, 'Ship <b>it</b>?\u2028', 1],
    ['/steps/1/name', { text: 'x\ny' }, 'x\ny', 1],
    ['/steps/2/config/steps/0/config/url', { text: 'https://example.com/{{ input.a }}' }, 'https://example.com/{{ input.a }}', 1],
    ['/timeout_seconds', { raw: '2.50' }, 2.5, 1],
    ['/description', { text: 'two\nlines' }, 'two\nlines', 0],
  ]
  it('change only the lines of their value', () => {
    for (const [pointer, v, want, lines] of cases) {
      const r = read(text)
      const after = applied(text, setValue(r, pointer, v) as Edit)
      const got = at(after, pointer)
      expect(read(after).broken, pointer + '\n' + after).toBe(false)
      expect(typeof want === 'number' ? Number(got) : got, pointer + '\n' + after).toEqual(want)
      expect(touched(text, after).length, pointer + '\n' + after).toBeLessThanOrEqual(lines)
      // All else means what it meant.
      const undo = JSON.parse(print(read(after).definition)) as Record<string, unknown>, was = JSON.parse(print(r.definition)) as Record<string, unknown>
      const strip = (o: Record<string, unknown>) => { const path = tokens(pointer); let p: unknown = o; for (const t of path.slice(0, -1)) p = (p as Record<string, unknown> | undefined)?.[t]; if (p && typeof p === 'object') delete (p as Record<string, unknown>)[path.at(-1) as string]; return o }
      if (pointer !== '/steps/0/retry/max_attempts') expect(strip(undo)).toEqual(strip(was))
    }
  })
  it('hold for random texts at random places', () => {
    let seed = 11
    const next = () => { seed = (seed * 1664525 + 1013904223) >>> 0; return seed / 4294967296 }
    const alphabet = ['a', 'B', ' ', '\n', ':', '#', '-', '"', "'", '{{ x }}', '\\', '\t', '\u2028', '<script>', 'é', '1', '|', '[', ',', '&', '*', '!', '%', '@', '`', '\u0000', '\u0085', '🧵']
    const places = ['/name', '/steps/0/id', '/steps/0/config/language', '/steps/0/config/script', '/steps/0/config/env/A', '/steps/0/config/env/B', '/steps/1/config/signal/name', '/steps/2/config/items', '/steps/2/config/steps/0/config/url', '/steps/2/config/steps/0/name', '/finally/0/name', '/steps/1/name']
    for (let i = 0; i < 600; i++) {
      const value = Array.from({ length: Math.floor(next() * 12) }, () => alphabet[Math.floor(next() * alphabet.length)]).join('')
      const pointer = places[Math.floor(next() * places.length)] as string
      const after = applied(text, setValue(read(text), pointer, { text: value }) as Edit)
      expect(at(after, pointer), JSON.stringify(value) + ' at ' + pointer + '\n' + after).toBe(value)
      for (const comment of ["# the shop's", '# first', '# careful', '# the end', '# loads']) expect(after).toContain(comment)
    }
  })
  it('take keys away', () => {
    for (const [pointer, gone] of [['/steps/0/depends_on', 3], ['/steps/0/config/env/A', 1], ['/steps/0/config/script', 4], ['/timeout_seconds', 1]] as const) {
      const after = applied(text, removeKey(read(text), pointer) as Edit)
      expect(placeAt(read(after).doc, tokens(pointer)), after).toBe(null)
      expect(read(after).broken).toBe(false)
      expect(touched(text, after).length).toBe(gone)
    }
    expect(removeKey(read(text), '/steps/0/id')).toBe(null)
  })
  it('add steps and take them away', () => {
    for (const pointer of ['/steps/0', '/steps/1', '/steps/2', '/steps/2/config/steps/0', '/finally/0']) {
      const after = applied(text, addStep(read(text), pointer, 'fresh', 'load') as Edit)
      const r = read(after)
      expect(r.broken, after).toBe(false)
      expect(flatten(r.steps).map((s) => s.id)).toContain('fresh')
      expect(touched(text, after).length).toBe(0)
    }
    const after = applied(text, removeStep(read(text), '/steps/1') as Edit)
    expect(flatten(read(after).steps).map((s) => s.id)).toEqual(['load', 'each', 'inner', 'z'])
    expect(removeStep(read(text), '/finally/0')).toBe(null)
  })
  it('write JSON in JSON', () => {
    const source = '{\n  "name": "x",\n  "steps": [\n    {"id": "a", "type": "script", "config": {"script": "true"}}\n  ]\n}\n'
    for (const [pointer, v] of [['/steps/0/name', { text: 'A "b"\n' }], ['/steps/0/config/script', { text: 'echo' }], ['/description', { text: 'd' }], ['/steps/0/retry/max_attempts', { raw: '3' }], ['/steps/0/depends_on', listText(read(source), ['b'])]] as [string, Written][]) {
      const after = applied(source, setValue(read(source), pointer, v) as Edit)
      expect(() => JSON.parse(after) as unknown, after).not.toThrow()
    }
    expect(() => JSON.parse(applied(source, addStep(read(source), '/steps/0', 'b', 'a') as Edit)) as unknown).not.toThrow()
  })
})
