// The graph of a definition: steps as boxes, loops as groups, what runs after a failure and at
// the end as groups below. Nothing in it is trusted: a draft may have steps without ids, twice the
// same one, and circles.
import type { Value } from '../api/lossless'
import { nested, type Group, type Nested } from './nested'
import type { Edge } from './layers'

export type List = 'steps' | 'on_failure' | 'finally'

export interface StepNode {
  id: string
  name: string
  type: string
  list: List
  parent: string | null // the loop whose body it is in
  pointer: string // into the definition
  dependsOn: string[]
  fallback: string
  body: StepNode[]
  raw: { [key: string]: Value }
}

const lists: List[] = ['steps', 'on_failure', 'finally']
export const boxWidth = 184
export const boxHeight = 44

function isObject(v: Value | undefined): v is { [key: string]: Value } {
  return typeof v === 'object' && v !== null && !Array.isArray(v) && v.constructor === Object
}
const text = (v: Value | undefined) => (typeof v === 'string' ? v : '')
const texts = (v: Value | undefined) => (Array.isArray(v) ? v.filter((x) => typeof x === 'string') : [])

// stepsOf returns the steps of a definition's lists, loops with their bodies. A step without an
// id, or with one that was there before, has the pointer to it as its id.
export function stepsOf(definition: Value): StepNode[] {
  if (!isObject(definition)) return []
  const used = new Set<string>()
  return lists.flatMap((list) => read(definition[list], list, null, `/${list}`, used))
}

function read(steps: Value | undefined, list: List, parent: string | null, at: string, used: Set<string>): StepNode[] {
  if (!Array.isArray(steps)) return []
  return steps.flatMap((raw, i) => {
    if (!isObject(raw)) return []
    const pointer = `${at}/${i}`
    const own = text(raw['id'])
    const id = own && !used.has(own) ? own : pointer
    used.add(id)
    const config = raw['config']
    const body = raw['type'] === 'loop' && isObject(config) ? read(config['steps'], list, id, `${pointer}/config/steps`, used) : []
    return [{ id, name: text(raw['name']), type: text(raw['type']), list, parent, pointer, dependsOn: texts(raw['depends_on']), fallback: text(raw['fallback_step']), body, raw }]
  })
}

// flatten lists steps with those of their bodies, in document order.
export function flatten(steps: StepNode[]): StepNode[] {
  return steps.flatMap((s) => [s, ...flatten(s.body)])
}

export function edgesOf(steps: StepNode[]): Edge[] {
  return steps.flatMap((s) => [...s.dependsOn.map((from) => ({ from, to: s.id })), ...(s.fallback ? [{ from: s.id, to: s.fallback }] : [])])
}

function groupOf(s: StepNode, size: (s: StepNode) => { width: number; height: number }): Group {
  const box = { id: s.id, ...size(s) }
  return s.body.length ? { ...box, body: { boxes: s.body.map((b) => groupOf(b, size)), edges: edgesOf(s.body) } } : box
}

// drawn lays out a definition's steps. The groups of on_failure and finally are named @on_failure
// and @finally, and stand below the steps.
export function drawn(steps: StepNode[], size: (s: StepNode) => { width: number; height: number } = () => ({ width: boxWidth, height: boxHeight })): Nested {
  const result: Nested = { nodes: new Map(), order: [], edges: [], width: 0, height: 0 }
  for (const list of lists) {
    const own = steps.filter((s) => s.list === list)
    if (own.length === 0) continue
    const body = { boxes: own.map((s) => groupOf(s, size)), edges: edgesOf(own) }
    const part = list === 'steps' ? nested(body.boxes, body.edges) : nested([{ id: '@' + list, width: boxWidth, height: boxHeight, body }], [])
    const dy = result.height ? result.height + 32 : 0
    for (const [id, n] of part.nodes) result.nodes.set(id, { ...n, y: n.y + dy })
    result.order.push(...part.order)
    result.edges.push(...part.edges.map((e) => ({ ...e, points: e.points.map(([x, y]): [number, number] => [x, y + dy]) })))
    result.width = Math.max(result.width, part.width)
    result.height = dy + part.height
  }
  return result
}
