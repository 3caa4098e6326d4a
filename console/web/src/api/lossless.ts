// JSON whose numbers stay as they were written. JSON.parse gives 9007199254740992 for
// 9007199254740993 and 1 for 1.0; a value that is shown must be the one that is stored.

// Exact is JSON text that is kept as it was written: a number that JavaScript would change, or
// what somebody typed and may not be JSON yet.
export class Exact {
  readonly text: string
  constructor(text: string) { this.text = text }
  toString(): string { return this.text }
}

export type Value = null | boolean | number | string | Exact | Value[] | { [key: string]: Value }

type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown

// Since 2023 engines tell a reviver the text of what they read. Older ones need scan.
let told = false
JSON.parse('1', ((_key: string, value: unknown, context?: { source?: string }) => { told = context?.source === '1'; return value }) as (this: unknown, key: string, value: unknown) => unknown)

// number is a number as it stands in the text.
const number = (text: string): number | Exact => (String(Number(text)) === text ? Number(text) : new Exact(text))

// scan reads JSON that JSON.parse accepts, token by token, and is about ten times slower.
export function scan(text: string): Value {
  const open: { into: Value[] | { [key: string]: Value }; key: string | null }[] = []
  let root: Value = null
  const put = (value: Value) => {
    const top = open.at(-1)
    if (!top) root = value
    else if (Array.isArray(top.into)) top.into.push(value)
    else if (top.key === null) top.key = value as string
    else {
      // An assignment to __proto__ would make no member.
      Object.defineProperty(top.into, top.key, { value, enumerable: true, configurable: true, writable: true })
      top.key = null
    }
  }
  for (const [token] of text.matchAll(/[{}[\]]|"(?:[^"\\]+|\\.)*"|-?\d[\d.eE+-]*|true|false|null/g)) {
    if (token === '}' || token === ']') open.pop()
    else if (token === '{' || token === '[') {
      const into = token === '[' ? [] : {}
      put(into)
      open.push({ into, key: null })
    } else put(/^[-\d]/.test(token) ? number(token) : (JSON.parse(token) as Value))
  }
  return root
}

// parse reads JSON. Numbers whose text JavaScript would not write again are Exact. It throws
// SyntaxError as JSON.parse does.
export function parse(text: string): Value {
  if (!told) {
    JSON.parse(text)
    return scan(text)
  }
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
