import { describe, expect, it } from 'vitest'
import { Exact, parse, print, scan } from './lossless'

const naughty = '{\n  "__proto__": {\n    "a": 1.0\n  },\n  "": [\n    [],\n    {},\n    -0.0,\n    "}\\"]\\\\"\n  ],\n  "x": 9007199254740993\n}'

describe('values', () => {
  it('keep the text of numbers', () => {
    for (const text of ['9007199254740993', '1.0', '1e400', '-0.0', '0.1', '-7', '[\n  1.0,\n  2\n]', '{\n  "a": 1e2\n}', naughty]) {
      expect(print(parse(text))).toBe(text)
      expect(print(scan(text))).toBe(text)
    }
    expect(parse('1.0')).toEqual(new Exact('1.0'))
  })
  it('keep texts', () => {
    for (const text of ['"\u2028"', '"<script>"', 'null', '[]', '{}', '{\n  "a": [\n    true\n  ]\n}']) expect(JSON.parse(print(parse(text)))).toEqual(JSON.parse(text))
  })
  it('refuse what is not JSON', () => {
    for (const text of ['', '{', '[1,]', '01', 'nul', '{"a" 1}']) expect(() => parse(text)).toThrow(SyntaxError)
  })
})
