// The JSON Schema of definitions, followed to where one is writing. It says what is offered, never
// what is right: the server judges.
import type { Value } from '../api/lossless'

export interface Schema { [key: string]: unknown }

const isObject = (v: unknown): v is Schema => typeof v === 'object' && v !== null && !Array.isArray(v)

// memberOf reads a member of data.
export function memberOf(v: Value | undefined, key: string): Value | undefined {
  if (Array.isArray(v)) return v[Number(key)]
  return typeof v === 'object' && v !== null && v.constructor === Object ? (v as { [key: string]: Value })[key] : undefined
}

// forms are the schemas that a value at a place may have: references followed, alternatives each
// for itself, conditions by the value's own type.
export function forms(root: Schema, schema: unknown, value: Value | undefined, depth = 0): Schema[] {
  if (!isObject(schema) || depth > 12) return []
  const ref = schema['$ref']
  if (typeof ref === 'string') {
    let target: unknown = root
    for (const token of ref.split('/').slice(1)) target = isObject(target) ? target[token] : undefined
    return forms(root, target, value, depth + 1)
  }
  const found: Schema[] = [schema]
  for (const key of ['anyOf', 'oneOf', 'allOf']) {
    const list = schema[key]
    if (!Array.isArray(list)) continue
    for (const part of list) {
      if (!isObject(part)) continue
      if (!isObject(part['if'])) found.push(...forms(root, part, value, depth + 1))
      else if (fits(part['if'], value)) found.push(...forms(root, part['then'], value, depth + 1))
    }
  }
  return found
}

// fits reports whether a value meets a condition of the kind {properties: {type: {const}}}.
function fits(condition: Schema, value: Value | undefined): boolean {
  const properties = condition['properties']
  return isObject(properties) && Object.entries(properties).every(([key, s]) => isObject(s) && 'const' in s && memberOf(value, key) === s['const'])
}

// at returns the schemas of the place that a path leads to in a definition.
export function at(root: Schema, path: string[], definition: Value): Schema[] {
  let found = forms(root, root, definition)
  let value: Value | undefined = definition
  for (const token of path) {
    const inner: unknown[] = []
    value = memberOf(value, token)
    for (const s of found) {
      const properties = s['properties']
      if (isObject(properties) && token in properties) inner.push(properties[token])
      else if (/^\d+$/.test(token) && s['items'] !== undefined) inner.push(s['items'])
      else if (isObject(s['additionalProperties'])) inner.push(s['additionalProperties'])
    }
    found = inner.flatMap((s) => forms(root, s, value))
  }
  return found
}

export interface FieldInfo { name: string; description: string; kind: string; enum: string[]; required: boolean; default: unknown }

const kindOf = (found: Schema[]): string => {
  if (found.some((s) => Array.isArray(s['enum']))) return 'enum'
  for (const kind of ['boolean', 'integer', 'number', 'string', 'array', 'object']) if (found.some((s) => s['type'] === kind)) return kind
  return 'any'
}

// enumOf lists the words that schemas allow.
export const enumOf = (found: Schema[]): string[] => [...new Set(found.flatMap((s) => (Array.isArray(s['enum']) ? s['enum'].map(String) : 'const' in s ? [String(s['const'])] : [])))]

// fieldsOf lists the fields of the objects that schemas describe, in their order.
export function fieldsOf(root: Schema, found: Schema[]): FieldInfo[] {
  const fields = new Map<string, FieldInfo>()
  for (const s of found) {
    const properties = s['properties']
    if (!isObject(properties)) continue
    for (const [name, sub] of Object.entries(properties)) {
      const inner = forms(root, sub, undefined)
      const known = fields.get(name)
      const description = inner.map((i) => i['description']).concat(isObject(sub) ? [sub['description']] : []).find((d) => typeof d === 'string') as string | undefined
      const kind = kindOf(inner)
      fields.set(name, {
        name, description: known?.description || description || '', kind: known && known.kind !== 'any' && kind !== 'enum' ? known.kind : kind, enum: [...new Set([...(known?.enum ?? []), ...enumOf(inner)])],
        required: known?.required || (Array.isArray(s['required']) && s['required'].includes(name)), default: known?.default ?? (isObject(sub) ? sub['default'] : undefined),
      })
    }
    for (const name of Array.isArray(s['required']) ? (s['required'] as string[]) : []) {
      const f = fields.get(name)
      if (f) f.required = true
    }
  }
  return [...fields.values()]
}
