import { layers, type Box, type Edge, type Placed, type Route } from './layers'

// Group is a box that may hold a graph of its own: a loop and its body.
export interface Group extends Box { body?: { boxes: Group[]; edges: Edge[] } }

export interface Nested { nodes: Map<string, Placed>; order: string[]; edges: Route[]; width: number; height: number }

const pad = 12
const head = 40 // of a group, where its own name stands

// nested lays a graph out whose boxes may hold graphs. Those that do become as large as they need.
export function nested(boxes: Group[], edges: Edge[]): Nested {
  const inside = new Map<string, Nested>()
  const sized = boxes.map((b) => {
    if (!b.body) return b
    const inner = nested(b.body.boxes, b.body.edges)
    inside.set(b.id, inner)
    return { id: b.id, width: Math.max(b.width, inner.width + 2 * pad), height: inner.height + head + 2 * pad }
  })
  const outer = layers(sized, edges)
  const result: Nested = { nodes: new Map(), order: [], edges: [...outer.edges], width: outer.width, height: outer.height }
  for (const id of outer.order) {
    const at = outer.nodes.get(id) as Placed
    result.nodes.set(id, at)
    result.order.push(id)
    const inner = inside.get(id)
    if (!inner) continue
    const dx = at.x + Math.round((at.width - inner.width) / 2), dy = at.y + head + pad
    for (const [name, n] of inner.nodes) result.nodes.set(name, { ...n, x: n.x + dx, y: n.y + dy })
    result.order.push(...inner.order)
    result.edges.push(...inner.edges.map((e) => ({ ...e, points: e.points.map(([x, y]): [number, number] => [x + dx, y + dy]) })))
  }
  return result
}
