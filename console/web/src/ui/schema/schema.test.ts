import { describe, expect, it } from 'vitest'
import { Exact, parse, print } from '../../api/lossless'
import { blank, issuesOf, jsonOf, place, setMember, typed, unreadable } from './edit'
import { exampleOf, optionsOf, propertiesOf, show, type Schema } from './kinds'

const schema = (text: string) => parse(text) as Schema
const kind = (text: string, root = '{}') => show(schema(text), schema(root)).kind

describe('what a schema asks for', () => {
  it('is known by type, enum and members', () => {
    const cases: [string, string][] = [
      ['{"type":"string"}', 'string'], ['{"type":"integer"}', 'number'], ['{"type":"number"}', 'number'], ['{"type":"boolean"}', 'boolean'],
      ['{"enum":["a",1.0]}', 'enum'], ['{"const":7}', 'enum'], ['{"type":"array","items":{"type":"string"}}', 'array'], ['{"type":"array"}', 'json'],
      ['{"properties":{"a":{}}}', 'object'], ['{"type":"object"}', 'json'], ['{}', 'json'], ['true', 'json'], ['{"type":["string","number"]}', 'json'],
      ['{"type":"object","properties":{"a":{}},"oneOf":[{"required":["a"]},{}]}', 'json'], ['{"type":"array","prefixItems":[{}],"items":{}}', 'json'],
    ]
    for (const [text, want] of cases) expect(kind(text), text).toBe(want)
  })
  it('may be null as well', () => {
    for (const text of ['{"type":["string","null"]}', '{"anyOf":[{"type":"null"},{"type":"string"}]}', '{"oneOf":[{"$ref":"#/$defs/a"},{"type":"null"}]}']) {
      const got = show(schema(text), schema('{"$defs":{"a":{"type":"string"}}}'))
      expect([got.kind, got.nullable], text).toEqual(['string', true])
    }
  })
  it('is found behind references, which may go in circles', () => {
    const root = '{"$defs":{"a":{"$ref":"#/$defs/b~1c"},"b/c":{"type":"integer","description":"from b"},"o":{"$ref":"#/$defs/o"}}}'
    expect(show(schema('{"$ref":"#/$defs/a","title":"A"}'), schema(root)).schema).toEqual({ type: 'integer', description: 'from b', title: 'A' })
    for (const ref of ['#/$defs/o', '#/nowhere', 'https://example.com/x', '#/$defs/a/b/c']) expect(kind(`{"$ref":"${ref}"}`, root), ref).toBe('json')
  })
  it('ends at a depth', () => {
    const root = schema('{"type":"object","properties":{"next":{"$ref":"#"}}}')
    expect([0, 5, 6].map((depth) => show(root, root, depth).kind)).toEqual(['object', 'object', 'json'])
  })
  it('has required members first', () => {
    expect(propertiesOf(schema('{"required":["z","m"],"properties":{"a":{},"m":{},"z":{}}}')).map(([name]) => name)).toEqual(['m', 'z', 'a'])
  })
  it('has a default before examples', () => {
    expect(exampleOf(schema('{"default":null,"examples":["a"]}'))).toEqual({ value: null, isDefault: true })
    expect(exampleOf(schema('{"examples":["a","b"]}'))).toEqual({ value: 'a', isDefault: false })
    expect(exampleOf(schema('{"examples":[]}'))).toBeUndefined()
    expect(optionsOf(schema('{"const":1.0}'))).toEqual([new Exact('1.0')])
  })
})

describe('a value', () => {
  it('changes in one place', () => {
    const before = parse('{"b":1.0,"__proto__":"x","a":[9007199254740993]}')
    expect(print(setMember(before, 'b', typed('9007199254740995')))).toBe('{\n  "b": 9007199254740995,\n  "__proto__": "x",\n  "a": [\n    9007199254740993\n  ]\n}')
    expect(Object.keys(setMember(before, '__proto__', undefined))).toEqual(['b', 'a'])
    expect(Object.keys(setMember(setMember(undefined, '__proto__', 'y'), 'c', null))).toEqual(['__proto__', 'c'])
  })
  it('keeps what was typed until it is JSON', () => {
    const value = { a: typed('1,5') as Exact, 'b/c': [typed('2') as Exact, blank('number', [])] }
    expect(unreadable(value)).toEqual(['/a', '/b~1c/1'])
    expect(jsonOf(value)).toBeNull()
    expect(jsonOf(setMember(value, 'a', typed(' 1.50 ')))).toBeNull()
    expect(jsonOf({ a: typed(' 1.50 ') as Exact })).toBe('{\n  "a": 1.50\n}')
    expect(jsonOf(undefined)).toBe('{}')
    expect(typed('  ')).toBeUndefined()
  })
})

describe('findings', () => {
  const form = schema('{"type":"object","required":["name","tags"],"properties":{"name":{"type":"string"},"tags":{"type":"array","items":{"type":"object","required":["k"],"properties":{"k":{"type":"string"}}}},"any":{}}}')
  const at = (pointer: string, message: string, value = '{}') => [...place([{ pointer, message }], form, parse(value))]
  it('stand at the field that they are about', () => {
    expect(at('/name', 'must be text')).toEqual([['/name', ['must be text']]])
    expect(at('/tags/0/k', 'must be text', '{"tags":[{"k":1}]}')).toEqual([['/tags/0/k', ['must be text']]])
    expect(at('/any/deep/0', 'is wrong')).toEqual([['/any', ['is wrong']]])
    expect(at('/other', 'is not known')).toEqual([['', ['is not known']]])
  })
  it('of missing fields stand at the field', () => {
    expect(at('', "the fields 'name', 'tags' are missing").map(([p]) => p)).toEqual(['/name', '/tags'])
    expect(at('', "the field 'tags' is missing", '{"name":"x"}').map(([p]) => p)).toEqual(['/tags'])
    expect(at('/tags/1', "the field 'k' is missing", '{"tags":[{"k":"a"},{}]}').map(([p]) => p)).toEqual(['/tags/1/k'])
    expect(at('', "the field 'x' is missing").map(([p]) => p)).toEqual([''])
  })
  it('are read from answers of any shape', () => {
    expect(issuesOf({ diagnostics: [{ pointer: '/a', message: 'm', code: 'c' }, { message: 'no place' }, null] })).toHaveLength(1)
    expect(issuesOf({})).toEqual([])
  })
})
