// What a JSON Schema asks for, as far as a form can show it. All else is kind json: a field of
// JSON text, of which the server is the judge.
import { Exact, type Value } from '../../api/lossless'

export type Schema = { [key: string]: Value }
export type Kind = 'string' | 'number' | 'boolean' | 'enum' | 'array' | 'object' | 'json'

// Shown is a schema made ready for a control: references resolved, null split off.
export interface Shown { kind: Kind; schema: Schema; nullable: boolean }

export function isSchema(v: Value | undefined): v is Schema {
  return typeof v === 'object' && v !== null && !Array.isArray(v) && !(v instanceof Exact)
}

const maxDepth = 6 // deeper objects and lists are edited as JSON
const maxFields = 200 // of one object
export const maxItems = 100 // of a list that is shown row by row

// Keywords of which each alone makes a form that follows the rest say less than the schema does.
const beyond = ['allOf', 'anyOf', 'oneOf', 'not', 'prefixItems', 'patternProperties', '$dynamicRef', '$recursiveRef']

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

// follow resolves references within the schema itself. Members beside $ref stand over those that
// it names. undefined: it leads nowhere.
function follow(schema: Schema, root: Schema): Schema | undefined {
  let at = schema
  for (let hops = 0; at['$ref'] !== undefined; hops++) {
    const { $ref, ...beside } = at
    if (typeof $ref !== 'string' || !$ref.startsWith('#') || hops > 16) return undefined
    let target: Value | undefined = root
    for (const part of $ref.slice(1).split('/').slice(1)) {
      if (!isSchema(target)) return undefined
      target = target[decoded(part).replace(/~1/g, '/').replace(/~0/g, '~')]
    }
    if (!isSchema(target)) return undefined
    at = { ...target, ...beside }
  }
  return at
}

// withoutNull splits null off {type: [T, null]}, and off anyOf or oneOf of something and null.
function withoutNull(schema: Schema, root: Schema): { schema: Schema; nullable: boolean } {
  const type = schema['type']
  if (Array.isArray(type) && type.includes('null')) {
    const rest = type.filter((t) => t !== 'null')
    return { schema: { ...schema, type: rest.length === 1 ? (rest[0] as Value) : rest }, nullable: true }
  }
  for (const word of ['anyOf', 'oneOf']) {
    const options = schema[word]
    if (!Array.isArray(options) || options.length !== 2) continue
    const other = options.filter((o) => !(isSchema(o) && o['type'] === 'null'))
    const only = other[0]
    if (other.length !== 1 || !isSchema(only)) continue
    const { [word]: _, ...beside } = schema
    const target = follow(only, root)
    if (target) return { schema: { ...target, ...beside }, nullable: true }
  }
  return { schema, nullable: false }
}

// show says how a schema is asked for, at a depth below the form's root.
export function show(schema: Value | undefined, root: Schema, depth = 0): Shown {
  if (!isSchema(schema)) return { kind: 'json', schema: {}, nullable: false }
  const found = follow(schema, root)
  if (!found) return { kind: 'json', schema, nullable: false }
  const { schema: s, nullable } = withoutNull(found, root)
  return { kind: kindOf(s, depth), schema: s, nullable }
}

function kindOf(s: Schema, depth: number): Kind {
  if (Array.isArray(s['enum']) && s['enum'].length > 0) return 'enum'
  if ('const' in s) return 'enum'
  if (beyond.some((word) => word in s)) return 'json'
  switch (s['type']) {
    case 'string': return 'string'
    case 'number': case 'integer': return 'number'
    case 'boolean': return 'boolean'
    case 'array': return depth < maxDepth && isSchema(s['items']) ? 'array' : 'json'
    case 'object': case undefined: {
      const names = isSchema(s['properties']) ? Object.keys(s['properties']).length : 0
      return names > 0 && names <= maxFields && depth < maxDepth ? 'object' : 'json'
    }
    default: return 'json'
  }
}

// optionsOf are the values that an enum (or const) allows.
export const optionsOf = (s: Schema): Value[] => ('const' in s ? [s['const'] as Value] : (s['enum'] as Value[]))

// propertiesOf are the members, required ones first: the server keeps no other order.
export function propertiesOf(s: Schema): [string, Value][] {
  const all = isSchema(s['properties']) ? Object.entries(s['properties']) : []
  return [...all.filter(([name]) => requires(s, name)), ...all.filter(([name]) => !requires(s, name))]
}

export const requires = (s: Schema, name: string): boolean => Array.isArray(s['required']) && s['required'].includes(name)

const text = (v: Value | undefined): string => (typeof v === 'string' ? v : '')
export const titleOf = (s: Schema, name: string): string => text(s['title']) || name
export const descriptionOf = (s: Schema): string => text(s['description'])

// exampleOf is what a field shows while nothing is in it: its default, else its first example.
export function exampleOf(s: Schema): { value: Value; isDefault: boolean } | undefined {
  if ('default' in s) return { value: s['default'] as Value, isDefault: true }
  const first = Array.isArray(s['examples']) ? s['examples'][0] : undefined
  return first === undefined ? undefined : { value: first, isDefault: false }
}
