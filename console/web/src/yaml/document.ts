// A definition's text, read so that each value knows where it stands. The text may be broken: what
// can be read of it is read. JSON is read as YAML, which it is.
import { isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node, type Pair, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml'
import { Exact, type Value } from '../api/lossless'
import { tokens } from '../diff/changes'
import { stepsOf, type StepNode } from '../layout/definition'

export interface Range { from: number; to: number }

export interface Read {
  text: string
  doc: Document
  broken: boolean // it is not YAML as a whole
  definition: Value
  steps: StepNode[]
}

let last: Read | null = null

// read parses a text. It never throws. What was read last is kept: text, graph and list of problems
// ask for the same one.
export function read(text: string): Read {
  if (last?.text !== text) last = parsed(text)
  return last
}

function parsed(text: string): Read {
  const doc = parseDocument(text, { lineCounter: new LineCounter(), strict: false, uniqueKeys: false, logLevel: 'silent' }) as unknown as Document
  const definition = valueOf(doc.contents as Node | null)
  return { text, doc, broken: doc.errors.length > 0, definition, steps: stepsOf(definition) }
}

// valueOf is a node as data, with numbers as they were written.
export function valueOf(node: Node | null | undefined): Value {
  if (isScalar(node)) {
    const { value, source } = node as Scalar
    if (typeof value === 'number' && source !== undefined && String(value) !== source) return new Exact(source)
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
  }
  if (isSeq(node)) return (node as YAMLSeq).items.map((i) => valueOf(i as Node))
  if (isMap(node)) {
    const object: { [key: string]: Value } = {}
    for (const pair of (node as YAMLMap).items) Object.defineProperty(object, keyText(pair), { value: valueOf(pair.value as Node), enumerable: true, configurable: true, writable: true })
    return object
  }
  return null
}

export const keyText = (pair: Pair): string => (isScalar(pair.key) ? String((pair.key as Scalar).source ?? (pair.key as Scalar).value) : String(pair.key))

// Place is where a path leads: the node, the pair that holds it, and what that is in.
export interface Place { node: Node | null; pair: Pair | null; parent: YAMLMap | YAMLSeq | null }

// placeAt follows a path from the document's root; null where it leads nowhere.
export function placeAt(doc: Document, path: string[]): Place | null {
  let place: Place = { node: doc.contents as Node | null, pair: null, parent: null }
  for (const token of path) {
    const { node } = place
    if (isMap(node)) {
      const pair = (node as YAMLMap).items.find((p) => keyText(p) === token)
      if (!pair) return null
      place = { node: pair.value as Node | null, pair, parent: node as YAMLMap }
    } else if (isSeq(node)) {
      const item = (node as YAMLSeq).items[Number(token)]
      if (item === undefined) return null
      place = { node: (isPair(item) ? item.value : item) as Node | null, pair: null, parent: node as YAMLSeq }
    } else return null
  }
  return place
}

const startOf = (node: Node | null | undefined) => node?.range?.[0] ?? 0

// contentEnd is where a node's own text ends, without comments and empty lines behind it.
export function contentEnd(text: string, node: Node | null | undefined, fallback: number): number {
  if (!node?.range) return fallback
  const flow = (node as { flow?: boolean }).flow
  if (!flow && isMap(node) && node.items.length) {
    const pair = node.items[node.items.length - 1] as Pair
    return contentEnd(text, pair.value as Node | null, afterColon(text, pair))
  }
  if (!flow && isSeq(node) && node.items.length) return contentEnd(text, node.items[node.items.length - 1] as Node, node.range[1])
  let end = node.range[1]
  if (isScalar(node) && ((node as Scalar).type === 'BLOCK_LITERAL' || (node as Scalar).type === 'BLOCK_FOLDED')) {
    while (end > node.range[0] && text[end - 1] === '\n') end--
    return end
  }
  return Math.max(end, isScalar(node) && (node as Scalar).value === null && end === node.range[0] ? fallback : end)
}

// afterColon is the place behind a pair's colon.
export function afterColon(text: string, pair: Pair): number {
  const end = (pair.key as Node | null)?.range?.[1] ?? 0
  const colon = text.indexOf(':', end)
  return colon < 0 ? end : colon + 1
}

// rangeAt is where the value at a JSON pointer stands, or its key where the value is empty; null
// where there is nothing.
export function rangeAt(r: Read, pointer: string): Range | null {
  const place = placeAt(r.doc, tokens(pointer))
  if (!place) return null
  const key = place.pair?.key as Node | null | undefined
  const from = place.node?.range ? startOf(place.node) : startOf(key)
  const to = contentEnd(r.text, place.node, key?.range?.[1] ?? from)
  return to > from ? { from, to } : key?.range ? { from: key.range[0], to: key.range[1] } : null
}

// keyRangeAt is where the key of the value at a pointer stands.
export function keyRangeAt(r: Read, pointer: string): Range | null {
  const key = placeAt(r.doc, tokens(pointer))?.pair?.key as Node | null | undefined
  return key?.range ? { from: key.range[0], to: key.range[1] } : null
}

// stepAround is the innermost step whose text a place is in.
export function stepAround(r: Read, at: number): StepNode | null {
  const find = (steps: StepNode[]): StepNode | null => {
    for (const s of steps) {
      const range = rangeAt(r, s.pointer)
      if (range && range.from <= at && at <= range.to) return find(s.body) ?? s
    }
    return null
  }
  return find(r.steps)
}
