import { describe, expect, it } from 'vitest'
import { complete } from './complete'
import { read } from './document'
import { fixOf, offsetAt, spotOf } from './place'
import type { Schema } from './schema'

const schema: Schema = {
  type: 'object', properties: { name: { type: 'string', description: 'What people call it' }, input: { type: 'object' }, steps: { type: 'array', items: { $ref: '#/$defs/Step' } } }, required: ['name', 'steps'],
  $defs: {
    Step: {
      type: 'object', required: ['id', 'type'],
      properties: { id: { type: 'string', description: 'Unique' }, type: { type: 'string' }, config: { type: 'object' }, depends_on: { type: 'array', items: { type: 'string' } }, enabled: { type: 'boolean' }, on_error: { type: 'string', enum: ['fail', 'continue'] }, if: { type: 'string' } },
      allOf: [
        { properties: { type: { enum: ['http_request', 'loop', 'script'] } } },
        { if: { required: ['type'], properties: { type: { const: 'http_request' } } }, then: { properties: { config: { $ref: '#/$defs/config_http_request' } } } },
        { if: { required: ['type'], properties: { type: { const: 'loop' } } }, then: { properties: { config: { $ref: '#/$defs/Loop' } } } },
      ],
    },
    Loop: { type: 'object', properties: { items: { type: 'string' }, steps: { type: 'array', items: { $ref: '#/$defs/Step' } } } },
    config_http_request: { type: 'object', properties: { url: { type: 'string' }, method: { anyOf: [{ type: 'string', enum: ['GET', 'POST'] }, { type: 'string', pattern: '{{' }] } } },
  },
}
const names = { secrets: ['TOKEN'], agents: ['support'] }

// offered completes at the | of a text.
function offered(text: string): string[] {
  const pos = text.indexOf('|')
  return complete(text.replace('|', ''), pos, schema, names)?.options.map((o) => o.label) ?? []
}

describe('completion', () => {
  it('offers keys that are not there yet', () => {
    expect(offered('name: x\n|')).toEqual(['input', 'steps'])
    expect(offered('name: x\nsteps:\n  - id: a\n    |')).toEqual(['type', 'config', 'depends_on', 'enabled', 'on_error', 'if'])
    expect(offered('steps:\n  - id: a\n    type: http_request\n    config:\n      url: x\n      m|')).toEqual(['method'])
    expect(offered('steps:\n  - { id: a, ty| }')).toContain('type')
    expect(offered('steps:\n  - {id: a, type: http_request, config: { m|')).toContain('method')
    expect(offered('steps:\n  - id: a\n    ty|\n    config:\n      url: x\n  - id: b')).toContain('type')
  })
  it('offers words of a field', () => {
    expect(offered('steps:\n  - id: a\n    type: |')).toEqual(['http_request', 'loop', 'script'])
    expect(offered('steps:\n  - id: a\n    on_error: c|')).toEqual(['fail', 'continue'])
    expect(offered('steps:\n  - {id: a, type: http_request, config: {method: P|}}')).toEqual(['GET', 'POST'])
    expect(offered('steps:\n  - id: a\n    enabled: |')).toEqual(['true', 'false'])
    expect(offered('steps:\n  - id: a\n    config: {agent_id: |}')).toEqual(['support'])
    expect(offered('steps:\n  - id: a\n    config: {agent_id: writer, goal: x}\n  - id: b\n    config: {agent_id: |}')).toEqual(['support', 'writer'])
  })
  it('offers ids of steps of the same list', () => {
    const text = 'steps:\n  - id: a\n  - id: each\n    type: loop\n    config:\n      steps:\n        - id: x\n        - id: y\n          depends_on: [|]\n  - id: b\n'
    expect(offered(text)).toEqual(['x'])
    expect(offered('steps:\n  - id: a\n  - id: b\n    depends_on:\n      - |')).toEqual(['a'])
  })
  it('offers what expressions can read', () => {
    const head = 'input: {type: object, properties: {order: {type: object, properties: {total: {type: number}}}}}\nsteps:\n  - id: a\n    type: http_request\n  - id: b\n    type: script\n    depends_on: [a]\n    output_schema: {properties: {result: {type: string}}}\n  - id: other\n  - id: c\n    depends_on: [b]\n'
    expect(offered(head + '    config: {url: "https://x/{{ |')).toEqual(['input', 'steps', 'run', 'secrets', 'signals'])
    expect(offered(head + '    config:\n      url: "https://x/{{ steps.| }}"')).toEqual(['b', 'a'])
    expect(offered(head + '    config:\n      url: "{{ steps.a.output.|')).toEqual(['body', 'status_code', 'headers'])
    expect(offered(head + '    config:\n      url: "{{ steps.b.output.|')).toEqual(['result'])
    expect(offered(head + '    config:\n      url: "{{ input.order.| }}"')).toEqual(['total'])
    expect(offered(head + '    config:\n      url: "{{ secrets.| }}"')).toEqual(['TOKEN'])
    expect(offered(head + '    if: input.|')).toEqual(['order'])
  })
})

describe('places', () => {
  const text = 'name: "🧵" # x\nsteps:\n  - id: a\n    dependson: []\n    type: "htp_request"\n'
  it('count characters', () => {
    expect(text.slice(offsetAt(text, 1, 8))).toMatch(/^🧵/)
    expect(text.slice(offsetAt(text, 1, 9))).toMatch(/^"/)
    expect(text.slice(offsetAt(text, 4, 5))).toMatch(/^dependson/)
    expect(offsetAt(text, 99, 1)).toBe(text.length)
  })
  it('are the key or the value, and are put right by the suggestion', () => {
    const r = read(text)
    const unknown = { code: 'unknown_field', severity: 'error' as const, message: "Unknown field 'dependson' in step 'a'. Did you mean 'depends_on'?", pointer: '/steps/0/dependson', line: 4, column: 5, suggestion: 'depends_on' }
    const spot = spotOf(r, unknown)
    expect(text.slice(spot.from, spot.to)).toBe('dependson')
    const type = { ...unknown, message: "Step type 'htp_request' of step 'a' doesn't exist.", pointer: '/steps/0/type', line: 5, column: 11, suggestion: 'http_request' }
    const fix = fixOf(r, type) as { from: number; to: number; insert: string }
    expect(text.slice(fix.from, fix.to)).toBe('htp_request')
    expect(fixOf(r, { ...type, suggestion: 'use http_request' })).toBe(null)
  })
  it('put a name in an expression right, and nothing else of it', () => {
    const source = 'steps:\n  - id: weigh\n    config: { expression: "input.ordr_id != input.ordr" }\n'
    const fix = fixOf(read(source), { code: 'unknown_reference', severity: 'warning', pointer: '/steps/0/config/expression', line: 3, column: 27, suggestion: 'order_id', message: "'expression' of step 'weigh', column 7: the schema does not list ordr_id; did you mean order_id?" })
    expect(fix && source.slice(fix.from, fix.to)).toBe('ordr_id')
  })
})
