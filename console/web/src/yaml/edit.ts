// Changes of single values in a text: each touches the lines of that value and no others, so that
// comments, order and quotes of the rest stay as the author wrote them.
import { isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml'
import { afterColon, contentEnd, keyText, placeAt, type Read } from './document'
import { tokens } from '../diff/changes'

export interface Edit { from: number; to: number; insert: string }

// Written is a value to write: text is quoted as needed, raw stands as it is (a number, true, a
// list in brackets).
export type Written = { text: string } | { raw: string }

const reserved = /^(true|false|null|yes|no|on|off|y|n|~)$/i
const plain = /^[\p{L}_][\p{L}\p{N}_ .@/-]*$/u

// quoted writes a text as YAML that is also JSON.
export function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'))
}

const isPlain = (text: string) => plain.test(text) && !text.endsWith(' ') && !reserved.test(text) && text.length < 200

const columnOf = (text: string, at: number) => at - (text.lastIndexOf('\n', at - 1) + 1)

// block writes a text of several lines as a literal block, or null where that cannot say it.
function block(text: string, indent: number): string | null {
  const lines = text.replace(/\n+$/, '').split('\n')
  const ends = text.length - text.replace(/\n+$/, '').length
  if (lines.length < 2 && ends === 0) return null
  if (/^[ \t\n]/.test(text) || /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]/.test(text) || lines.every((l) => l === '')) return null
  const pad = ' '.repeat(indent)
  return `|${ends === 0 ? '-' : ends > 1 ? '+' : ''}\n${lines.map((l) => (l ? pad + l : '')).join('\n')}${'\n'.repeat(Math.max(0, ends - 1))}`
}

// write writes a value as it fits its place. was is the value that stood there.
function write(v: Written, was: Node | null, inFlow: boolean, json: boolean, indent: number): string {
  if ('raw' in v) return v.raw
  const type = isScalar(was) ? (was as Scalar).type : undefined
  if (json) return quoted(v.text)
  if (!inFlow && (v.text.includes('\n') || type === 'BLOCK_LITERAL')) {
    const literal = block(v.text, indent)
    if (literal) return literal
  }
  if (type === 'QUOTE_SINGLE' && /^[\x20-\x7e]*$/.test(v.text)) return `'${v.text.replaceAll("'", "''")}'`
  if (type === 'QUOTE_DOUBLE') return quoted(v.text)
  return isPlain(v.text) ? v.text : quoted(v.text)
}

// isJSON reports whether a document is JSON, so that keys need quotes.
export const isJSON = (r: Read) => r.text.trimStart().startsWith('{')

const isFlow = (node: unknown) => Boolean((node as { flow?: boolean } | null)?.flow)

// inFlow reports whether a path leads through braces or brackets.
function inFlow(r: Read, path: string[]): boolean {
  for (let n = 0; n <= path.length; n++) if (isFlow(placeAt(r.doc, path.slice(0, n))?.node)) return true
  return false
}

// setValue writes a value at a pointer: in place of the one that is there, or as a new key of its
// parent, which is made where it is missing. null where the text has no place for it.
export function setValue(r: Read, pointer: string, v: Written): Edit | null {
  const path = tokens(pointer)
  const parentPath = path.slice(0, -1)
  const place = placeAt(r.doc, path)
  const flow = inFlow(r, parentPath), json = isJSON(r)
  if (place?.pair) {
    const keyStart = (place.pair.key as Node).range?.[0] as number
    const from = afterColon(r.text, place.pair)
    const to = contentEnd(r.text, place.node, from)
    // A comment behind the value stays there, which a block of lines does not allow.
    const alone = /^[ \t]*(\n|$)/.test(r.text.slice(to, r.text.indexOf('\n', to) + 1 || undefined))
    const text = write(v, place.node, flow || !alone, json, columnOf(r.text, keyStart) + 2)
    const start = place.node?.range?.[0] ?? from
    // A list over several lines, or a value that was empty, begins behind the colon.
    if (start === from || (isSeq(place.node) && !isFlow(place.node)) || r.text.slice(from, start).includes('\n')) return { from, to: Math.max(to, from), insert: ' ' + text }
    return { from: start, to, insert: text }
  }
  const parent = placeAt(r.doc, parentPath)
  const key = path[path.length - 1] as string
  if (!parent) {
    if (parentPath.length === 0) return null
    const name = json ? quoted(key) : isPlain(key) ? key : quoted(key)
    const inner = 'raw' in v ? v.raw : json || flow ? quoted(v.text) : isPlain(v.text) ? v.text : quoted(v.text)
    return setValue(r, '/' + parentPath.map(escape).join('/'), { raw: `{ ${name}: ${inner} }` })
  }
  if (parent.node === null || (isScalar(parent.node) && (parent.node as Scalar).value === null)) {
    return parent.pair ? setValue(r, '/' + parentPath.map(escape).join('/'), { raw: `{ ${json ? quoted(key) : key}: ${write(v, null, true, json, 0)} }` }) : null
  }
  return isMap(parent.node) ? addKey(r, parent.node as YAMLMap, key, v, flow || isFlow(parent.node), json) : null
}

const escape = (token: string) => token.replaceAll('~', '~0').replaceAll('/', '~1')

// addKey writes a new key of a map: behind its type, where it has one and stands in lines of its
// own, else as the last.
function addKey(r: Read, map: YAMLMap, key: string, v: Written, flow: boolean, json: boolean): Edit | null {
  const name = json || !isPlain(key) ? quoted(key) : key
  const last = map.items[map.items.length - 1]
  if (flow) {
    const text = `${name}: ${write(v, null, true, json, 0)}`
    if (!last) return { from: (map.range?.[0] ?? 0) + 1, to: (map.range?.[0] ?? 0) + 1, insert: text }
    const at = contentEnd(r.text, last.value as Node, afterColon(r.text, last))
    const own = r.text.slice(0, (last.key as Node).range?.[0]).match(/\n([ \t]*)$/)
    return { from: at, to: at, insert: own ? `,\n${own[1]}${text}` : `, ${text}` }
  }
  if (!last) return null
  const type = map.items.find((p) => keyText(p) === 'type' && isScalar(p.value))
  const anchor = type ?? last
  const indent = columnOf(r.text, (anchor.key as Node).range?.[0] as number)
  const end = contentEnd(r.text, anchor.value as Node, afterColon(r.text, anchor))
  const line = r.text.indexOf('\n', end)
  const at = line < 0 ? r.text.length : line
  return { from: at, to: at, insert: `\n${' '.repeat(indent)}${name}: ${write(v, null, false, json, indent + 2)}` }
}

// removeKey takes the key at a pointer away; null where it is not there, or is the first of its
// line and others follow there.
export function removeKey(r: Read, pointer: string): Edit | null {
  const path = tokens(pointer)
  const place = placeAt(r.doc, path)
  if (!place?.pair || !isMap(place.parent)) return null
  const map = place.parent as YAMLMap
  const from = (place.pair.key as Node).range?.[0] as number
  const to = contentEnd(r.text, place.node, afterColon(r.text, place.pair))
  const at = map.items.indexOf(place.pair)
  if (inFlow(r, path.slice(0, -1))) {
    const next = map.items[at + 1], before = map.items[at - 1]
    if (next) return { from, to: (next.key as Node).range?.[0] as number, insert: '' }
    return before ? { from: contentEnd(r.text, before.value as Node, afterColon(r.text, before)), to, insert: '' } : { from, to, insert: '' }
  }
  const line = r.text.lastIndexOf('\n', from - 1) + 1
  if (r.text.slice(line, from).trim() !== '') return null
  const end = r.text.indexOf('\n', to)
  return { from: line, to: end < 0 ? r.text.length : end + 1, insert: '' }
}

// listText writes names as a list in brackets.
export const listText = (r: Read, names: string[]): Written => ({ raw: `[${names.map((n) => (isJSON(r) || !isPlain(n) ? quoted(n) : n)).join(', ')}]` })

// itemRange is the text of a list's item, with its dash.
export function itemRange(r: Read, pointer: string): { from: number; to: number; dash: number } | null {
  const place = placeAt(r.doc, tokens(pointer))
  if (!place?.node?.range || !isSeq(place.parent)) return null
  const from = place.node.range[0]
  const dash = isFlow(place.parent) ? from : r.text.lastIndexOf('-', from)
  return { from, to: contentEnd(r.text, place.node, from), dash }
}

// addStep writes a step behind another one of its list, that depends on it.
export function addStep(r: Read, pointer: string, id: string, after: string): Edit | null {
  const item = itemRange(r, pointer)
  const list = placeAt(r.doc, tokens(pointer).slice(0, -1))?.node
  if (!item || !isSeq(list)) return null
  if (isFlow(list)) {
    const own = r.text.slice(0, item.from).match(/\n([ \t]*)$/)
    return { from: item.to, to: item.to, insert: `,${own ? '\n' + own[1] : ' '}{"id": ${quoted(id)}, "type": "script", "depends_on": [${quoted(after)}], "config": {"script": "true"}}` }
  }
  const pad = ' '.repeat(columnOf(r.text, item.dash))
  const end = r.text.indexOf('\n', item.to)
  const at = end < 0 ? r.text.length : end
  return { from: at, to: at, insert: `\n${pad}- id: ${id}\n${pad}  type: script\n${pad}  depends_on: [${after}]\n${pad}  config: { script: "true" }` }
}

// removeStep takes an item out of its list; null for the only one.
export function removeStep(r: Read, pointer: string): Edit | null {
  const item = itemRange(r, pointer)
  const path = tokens(pointer)
  const list = placeAt(r.doc, path.slice(0, -1))?.node as YAMLSeq | undefined
  if (!item || !isSeq(list) || list.items.length < 2) return null
  if (isFlow(list)) {
    const at = Number(path[path.length - 1])
    const next = list.items[at + 1] as Node | undefined, before = list.items[at - 1] as Node | undefined
    return next?.range ? { from: item.from, to: next.range[0], insert: '' } : { from: before?.range?.[1] as number, to: item.to, insert: '' }
  }
  const line = r.text.lastIndexOf('\n', item.dash - 1) + 1
  const end = r.text.indexOf('\n', item.to)
  return { from: line, to: end < 0 ? r.text.length : end + 1, insert: '' }
}

export const applied = (text: string, e: Edit) => text.slice(0, e.from) + e.insert + text.slice(e.to)

export type { Pair }
