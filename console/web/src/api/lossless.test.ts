import { describe, expect, it } from 'vitest'
import { parse, print } from './lossless'

const exact = typeof (JSON as { rawJSON?: unknown }).rawJSON === 'function'

describe('values', () => {
  // The reviver's third argument came with Node.js 21: older ones cannot show it.
  it.runIf(exact)('keep the text of numbers', () => {
    for (const text of ['9007199254740993', '1.0', '1e400', '-0.0', '0.1', '[\n  1.0,\n  2\n]', '{\n  "a": 1e2\n}']) expect(print(parse(text))).toBe(text)
  })
  it('keep texts', () => {
    for (const text of ['"\u2028"', '"<script>"', 'null', '[]', '{}', '{\n  "a": [\n    true\n  ]\n}']) expect(JSON.parse(print(parse(text)))).toEqual(JSON.parse(text))
  })
})
