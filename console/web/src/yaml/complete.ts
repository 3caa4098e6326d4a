// What may stand where one is writing: keys, words, names of steps, secrets and agents, and what
// expressions can read.
import { isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml'
import type { Value } from '../api/lossless'
import { flatten, type StepNode } from '../layout/definition'
import { keyText, read, type Read } from './document'
import { at, enumOf, fieldsOf, memberOf, type Schema } from './schema'

export interface Option { label: string; detail?: string; info?: string; insert?: string }
export interface Completion { from: number; options: Option[] }
export interface Names { secrets: string[]; agents: string[] }

const mark = 'ZZcursorZZ'

interface Context { path: string[]; key: boolean; siblings: string[]; read: Read }

// contextAt finds where one is writing: a mark is put in place of the word there, and looked for in
// what can be read of the text.
export function contextAt(text: string, from: number, pos: number): Context | null {
  const head = text.slice(0, from), rest = text.slice(pos)
  const line = head.slice(head.lastIndexOf('\n') + 1)
  const tail = rest.replace(/^[\w-]*/, '')
  const tries: string[] = []
  if (/(^\s*(- +)*|[{,]\s*)$/.test(line)) tries.push(/^\s*:/.test(tail) ? head + mark + tail : `${head}${mark}: 0${tail.startsWith('\n') || tail === '' ? '' : ', '}${tail}`, `${head}${mark}: 0`)
  // Of what follows nothing is sure: a text may want its quote.
  tries.push(head + mark + tail, head + mark, head + mark + '"', head + mark + "'")
  for (const source of tries) {
    const r = read(source)
    const found = search(r.doc.contents as Node | null, [])
    if (found) return { ...found, read: r }
  }
  return null
}

function search(node: Node | null, path: string[]): Omit<Context, 'read'> | null {
  if (isScalar(node)) return typeof node.value === 'string' && node.value.includes(mark) ? { path, key: false, siblings: [] } : null
  if (isMap(node)) {
    for (const pair of (node as YAMLMap).items as Pair[]) {
      const key = keyText(pair)
      if (key.includes(mark)) return { path, key: true, siblings: (node as YAMLMap).items.map((p) => keyText(p as Pair)).filter((k) => !k.includes(mark)) }
      const found = search(pair.value as Node | null, [...path, key])
      if (found) return found
    }
  }
  if (isSeq(node)) {
    for (const [i, item] of node.items.entries()) {
      const found = search(item as Node, [...path, String(i)])
      if (found) return found
    }
  }
  return null
}

const expressions = new Set(['if', 'expression', 'when', 'items', 'while', 'collect', 'condition', 'until'])

// complete lists what may stand at a place of a text, null where nothing is offered.
export function complete(text: string, pos: number, schema: Schema, names: Names): Completion | null {
  const before = text.slice(Math.max(0, pos - 400), pos)
  const word = /[\w-]*$/.exec(before)?.[0] ?? ''
  const from = pos - word.length
  const context = contextAt(text, from, pos)
  if (!context) return null
  const open = before.lastIndexOf('{{')
  const last = context.path[context.path.length - 1] ?? ''
  if ((open >= 0 && before.indexOf('}}', open) < 0) || (!context.key && expressions.has(last))) return readable(before, from, context, names)
  const found = at(schema, context.path, context.read.definition)
  const fields = context.key ? fieldsOf(schema, found).filter((f) => !context.siblings.includes(f.name)) : []
  // A list of names is written like keys until its colon.
  if (context.key && !found.some((s) => s['type'] === 'string')) {
    return { from, options: fields.map((f) => ({ label: f.name, detail: f.required ? `${f.kind}, required` : f.kind, info: f.description, insert: f.kind === 'object' || f.kind === 'array' ? f.name + ':' : f.name + ': ' })) }
  }
  const words = valuesAt(context, names) ?? enumOf(found).map((label): Option => ({ label }))
  if (found.some((s) => s['type'] === 'boolean')) words.push({ label: 'true' }, { label: 'false' })
  return { from, options: words }
}

const steps = (c: Context): StepNode[] => flatten(c.read.steps)

// around is the step that a path leads into.
function around(c: Context): StepNode | undefined {
  const at = '/' + c.path.join('/') + '/'
  return steps(c).filter((s) => at.startsWith(s.pointer + '/')).sort((a, b) => b.pointer.length - a.pointer.length)[0]
}

// used are the names that the text has already.
const used = (c: Context, pattern: RegExp) => [...c.read.text.matchAll(pattern)].map((m) => m[1] as string).filter((n) => !n.includes(mark))

// valuesAt lists names that fields refer to: steps, agents.
function valuesAt(c: Context, names: Names): Option[] | null {
  const last = c.path[c.path.length - 1] ?? '', list = c.path[c.path.length - 2] ?? ''
  const own = around(c)
  if (list === 'depends_on' || list === 'then' || list === 'else' || last === 'fallback_step' || last === 'depends_on') {
    return steps(c).filter((s) => s.id !== own?.id && s.parent === (own?.parent ?? null) && s.list === (own?.list ?? 'steps')).map((s) => ({ label: s.id, detail: s.type, info: s.name }))
  }
  return last === 'agent_id' ? [...new Set([...names.agents, ...used(c, /agent_id: *["']?(\w[\w-]*)/g)])].map((label) => ({ label, detail: 'agent' })) : null
}

// ancestors are the steps that are finished when a step begins: those it depends on, and theirs, and
// those of the loops around it.
export function ancestors(all: StepNode[], step: StepNode | undefined): StepNode[] {
  if (!step) return all.filter((s) => s.parent === null)
  if (step.list !== 'steps') return all.filter((s) => s.list === 'steps' && s.parent === null || s.list === step.list && s.id !== step.id)
  const byId = new Map(all.map((s) => [s.id, s]))
  const found = new Set<StepNode>()
  const add = (s: StepNode | undefined) => {
    for (const id of s?.dependsOn ?? []) {
      const d = byId.get(id)
      if (d && !found.has(d)) { found.add(d); add(d) }
    }
    if (s?.parent) add(byId.get(s.parent))
  }
  add(step)
  return [...found]
}

const outputs: Record<string, string[]> = {
  http_request: ['body', 'status_code', 'headers'], script: ['result', 'stdout', 'stderr', 'exit_code'], condition: ['result', 'branch'], wait: ['payload'], webhook: ['status_code'], loop: ['results', 'count'],
}

const properties = (schema: Value | undefined): Option[] => {
  const p = memberOf(schema, 'properties')
  return typeof p === 'object' && p !== null && p.constructor === Object ? Object.keys(p).map((label) => {
    const type = memberOf(memberOf(p, label), 'type')
    return typeof type === 'string' ? { label, detail: type } : { label }
  }) : []
}

// follow goes into a schema by names.
const follow = (schema: Value | undefined, path: string[]) => path.reduce<Value | undefined>((s, name) => memberOf(memberOf(s, 'properties'), name), schema)

// readable lists what an expression can read behind the names that were written so far.
function readable(before: string, from: number, c: Context, names: Names): Completion {
  const chain = /((?:[\w-]+\.)*)[\w-]*$/.exec(before)?.[1]?.split('.').slice(0, -1) ?? []
  const [root, id, part, ...rest] = chain
  const step = around(c)
  const all = steps(c)
  let options: Option[] = []
  if (root === undefined) {
    options = [{ label: 'input', detail: 'of the run' }, { label: 'steps', detail: 'outputs of earlier steps' }, { label: 'run', detail: 'id, started_at' }, { label: 'secrets', detail: 'in config alone' }, { label: 'signals', detail: 'payloads by name' }]
    if (step?.parent || step?.type === 'loop') options.push({ label: 'item', detail: 'of the loop' }, { label: 'index', detail: 'of the iteration, from 0' }, { label: 'last', detail: 'what the iteration before collected' })
  } else if (root === 'input') options = properties(follow(memberOf(c.read.definition, 'input'), chain.slice(1)))
  else if (root === 'secrets' && id === undefined) options = [...new Set([...names.secrets, ...used(c, /secrets\.(\w+)/g)])].map((label) => ({ label, detail: 'secret' }))
  else if (root === 'signals' && id === undefined) options = all.flatMap((s) => { const name = memberOf(memberOf(memberOf(s.raw, 'config'), 'signal'), 'name'); return typeof name === 'string' ? [{ label: name, detail: s.id }] : [] })
  else if (root === 'run' && id === undefined) options = ['id', 'started_at', 'error'].map((label) => ({ label }))
  else if (root === 'steps' && id === undefined) options = ancestors(all, step).map((s) => ({ label: s.id, detail: s.type, info: s.name }))
  else if (root === 'steps' && part === undefined) options = ['output', 'status', 'error'].map((label) => ({ label }))
  else if (root === 'steps' && part === 'output') {
    const of = all.find((s) => s.id === id)
    const schema = memberOf(of?.raw, 'output_schema')
    options = schema !== undefined ? properties(follow(schema, rest)) : rest.length === 0 ? (outputs[of?.type ?? ''] ?? []).map((label) => ({ label })) : []
  }
  return { from, options }
}
