// JSON whose numbers stay as they were written. JSON.parse gives 9007199254740992 for
// 9007199254740993 and 1 for 1.0; a value that is shown must be the one that is stored.

// Exact is a number that JavaScript would change. Its text is what the server sent.
export class Exact {
  readonly text: string
  constructor(text: string) { this.text = text }
  toString(): string { return this.text }
}

export type Value = null | boolean | number | string | Exact | Value[] | { [key: string]: Value }

type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown

// parse reads JSON. Numbers whose text JavaScript would not write again are Exact.
export function parse(text: string): Value {
  const reviver: Reviver = (_key, value, context) =>
    typeof value === 'number' && context?.source !== undefined && String(value) !== context.source ? new Exact(context.source) : value
  return JSON.parse(text, reviver as (this: unknown, key: string, value: unknown) => unknown) as Value
}

// print writes a value as it was read, indented by two spaces.
export function print(value: Value, indent = ''): string {
  if (value instanceof Exact) return value.text
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    const inner = indent + '  '
    return `[\n${value.map((v) => inner + print(v, inner)).join(',\n')}\n${indent}]`
  }
  if (value !== null && typeof value === 'object') {
    const keys = Object.keys(value)
    if (keys.length === 0) return '{}'
    const inner = indent + '  '
    return `{\n${keys.map((k) => `${inner}${JSON.stringify(k)}: ${print(value[k] as Value, inner)}`).join(',\n')}\n${indent}}`
  }
  return JSON.stringify(value)
}
