// Changes of a value that a form shows, and where what is wrong with it stands.
import { Exact, print, type Value } from '../../api/lossless'
import { isSchema, propertiesOf, requires, show, type Kind, type Schema } from './kinds'

// Issue is a finding of the server: a JSON pointer into the value, and words.
export interface Issue { pointer: string; message: string }

export const step = (name: string | number): string => '/' + String(name).replace(/~/g, '~0').replace(/\//g, '~1')

// setMember is an object with a member changed in its place, added at the end, or taken out
// (undefined). What is no object is replaced by one.
export function setMember(object: Value | undefined, name: string, value: Value | undefined): { [key: string]: Value } {
  const entries = isSchema(object) ? Object.entries(object) : []
  const at = entries.findIndex(([k]) => k === name)
  if (value === undefined) return Object.fromEntries(entries.filter(([k]) => k !== name))
  if (at < 0) return Object.fromEntries([...entries, [name, value]])
  return Object.fromEntries(entries.map((e, i) => (i === at ? [name, value] : e)))
}

// typed is the JSON value of what stands in a field of numbers or JSON, which may be none yet.
// undefined: the field is empty.
export const typed = (text: string): Value | undefined => (text.trim() === '' ? undefined : new Exact(text.trim()))

// blank is what a new item of a list is.
export function blank(kind: Kind, options: Value[]): Value {
  switch (kind) {
    case 'number': return new Exact('')
    case 'boolean': return false
    case 'enum': return options[0] ?? null
    case 'array': return []
    case 'object': return {}
    case 'json': return null
    default: return ''
  }
}

function isJSON(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

// unreadable are the pointers at which something was typed that is not JSON.
export function unreadable(value: Value | undefined, at = ''): string[] {
  if (value instanceof Exact) return isJSON(value.text) ? [] : [at]
  if (Array.isArray(value)) return value.flatMap((v, i) => unreadable(v, at + step(i)))
  if (isSchema(value)) return Object.entries(value).flatMap(([k, v]) => unreadable(v, at + step(k)))
  return []
}

// jsonOf is a value's text, or null while it is none. What is left empty is {}.
export function jsonOf(value: Value | undefined): string | null {
  if (value === undefined) return '{}'
  return unreadable(value).length ? null : print(value)
}

// place puts findings where a form shows them. A missing field is found at the object around it,
// and is shown at the field; what is within a field of JSON is shown at that field.
export function place(issues: Issue[], schema: Value | undefined, value: Value | undefined): Map<string, string[]> {
  const root: Schema = isSchema(schema) ? schema : {}
  const places = new Map<string, string[]>()
  const put = (at: string, message: string) => places.set(at, [...(places.get(at) ?? []), message])
  for (const issue of issues) {
    const parts = issue.pointer.split('/').slice(1).map((p) => p.replace(/~1/g, '/').replace(/~0/g, '~'))
    let at = ''
    let here = show(schema, root)
    let inside = value
    for (const [depth, part] of parts.entries()) {
      const next = here.kind === 'object' ? propertiesOf(here.schema).find(([k]) => k === part)?.[1] : here.kind === 'array' ? here.schema['items'] : undefined
      if (next === undefined) break
      at += step(part)
      here = show(next, root, depth + 1)
      inside = Array.isArray(inside) ? inside[Number(part)] : isSchema(inside) && Object.hasOwn(inside, part) ? inside[part] : undefined
    }
    const absent = here.kind === 'object' && issue.message.includes(' missing')
      ? propertiesOf(here.schema).map(([k]) => k).filter((k) => requires(here.schema, k) && !(isSchema(inside) && Object.hasOwn(inside, k)) && issue.message.includes(`'${k}'`))
      : []
    if (absent.length) for (const name of absent) put(at + step(name), 'This field is required')
    else put(at, issue.message)
  }
  return places
}

// issuesOf are the findings of an answer of 422.
export function issuesOf(body: Record<string, unknown>): Issue[] {
  const list = body['diagnostics']
  if (!Array.isArray(list)) return []
  return list.filter((d): d is Issue => typeof (d as Issue | null)?.pointer === 'string' && typeof (d as Issue).message === 'string')
}
