/// <reference types="node" />
import { describe, expect, it } from 'vitest'
import { gapX, layers, type Box, type Edge, type Placed } from './layers'
import { nested, type Group } from './nested'

// random is a generator of numbers in [0, 1) that is the same for the same seed.
function random(seed: number): () => number {
  let s = seed
  return () => {
    s = (s * 1664525 + 1013904223) >>> 0
    return s / 4294967296
  }
}

function graph(seed: number, n: number, perNode: number): { boxes: Box[]; edges: Edge[] } {
  const next = random(seed)
  const boxes = Array.from({ length: n }, (_, i) => ({ id: 's' + i, width: 80 + Math.floor(next() * 160), height: 40 + Math.floor(next() * 40) }))
  const edges: Edge[] = []
  for (let i = 1; i < n; i++) {
    for (let k = 0; k < perNode; k++) if (next() < 0.8) edges.push({ from: 's' + Math.floor(next() * i), to: 's' + i })
  }
  return { boxes, edges }
}

function overlap(a: Placed, b: Placed): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

describe('layers', () => {
  it('lets no two boxes overlap, and every edge lead down', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { boxes, edges } = graph(seed, 2 + seed * 3, 1 + (seed % 3))
      const l = layers(boxes, edges)
      const all = [...l.nodes.values()]
      expect(all.length).toBe(boxes.length)
      for (const [i, a] of all.entries()) {
        expect(a.x).toBeGreaterThanOrEqual(0)
        expect(a.x + a.width).toBeLessThanOrEqual(l.width + 1)
        expect(all.slice(i + 1).filter((b) => overlap(a, b)).map((b) => b.id), `${seed}: over ${a.id}`).toEqual([])
      }
      for (const e of l.edges) {
        const from = l.nodes.get(e.from) as Placed, to = l.nodes.get(e.to) as Placed
        expect(from.y + from.height).toBeLessThan(to.y)
        expect(e.points.length).toBeGreaterThanOrEqual(2)
      }
      expect(layers(boxes, edges)).toEqual(l)
    }
  })
  it('draws circles, unknown names and repeated edges without an end or an overlap', () => {
    const boxes = ['a', 'b', 'c', 'd'].map((id) => ({ id, width: 100, height: 40 }))
    const l = layers(boxes, [{ from: 'a', to: 'b' }, { from: 'b', to: 'c' }, { from: 'c', to: 'a' }, { from: 'd', to: 'd' }, { from: 'x', to: 'a' }, { from: 'a', to: 'b' }])
    expect(l.order.toSorted()).toEqual(['a', 'b', 'c', 'd'])
    const all = [...l.nodes.values()]
    for (const [i, a] of all.entries()) for (const b of all.slice(i + 1)) expect(overlap(a, b)).toBe(false)
  })
  it('puts a chain in one column and a fork beside each other', () => {
    const box = (id: string) => ({ id, width: 100, height: 40 })
    const l = layers([box('a'), box('b'), box('c'), box('d')], [{ from: 'a', to: 'b' }, { from: 'a', to: 'c' }, { from: 'b', to: 'd' }, { from: 'c', to: 'd' }])
    expect(l.nodes.get('a')?.x).toBe(l.nodes.get('d')?.x)
    expect(Math.abs((l.nodes.get('b') as Placed).x - (l.nodes.get('c') as Placed).x)).toBe(100 + gapX)
  })
  it('gives an empty graph no size', () => {
    expect(layers([], [])).toMatchObject({ width: 0, height: 0 })
  })
  it('places 5,000 steps', () => {
    const { boxes, edges } = graph(7, 5000, 2)
    const before = process.cpuUsage()
    const l = layers(boxes, edges)
    const used = process.cpuUsage(before)
    console.log(`5,000 steps, ${edges.length} edges: ${Math.round((used.user + used.system) / 1000)} ms of CPU`)
    expect(l.nodes.size).toBe(5000)
  })
})

describe('nested', () => {
  it('keeps a loop around its body, and others out of it', () => {
    const box = (id: string): Group => ({ id, width: 120, height: 40 })
    const loop: Group = { ...box('each'), body: { boxes: [box('x'), box('y'), { ...box('inner'), body: { boxes: [box('z')], edges: [] } }], edges: [{ from: 'x', to: 'y' }, { from: 'x', to: 'inner' }] } }
    const l = nested([box('a'), loop, box('b')], [{ from: 'a', to: 'each' }, { from: 'each', to: 'b' }])
    const each = l.nodes.get('each') as Placed
    for (const id of ['x', 'y', 'inner', 'z']) {
      const n = l.nodes.get(id) as Placed
      expect(n.x).toBeGreaterThanOrEqual(each.x)
      expect(n.y).toBeGreaterThan(each.y)
      expect(n.x + n.width).toBeLessThanOrEqual(each.x + each.width)
      expect(n.y + n.height).toBeLessThanOrEqual(each.y + each.height)
    }
    expect(overlap(l.nodes.get('a') as Placed, each) || overlap(l.nodes.get('b') as Placed, each)).toBe(false)
    expect(l.order.length).toBe(7)
  })
})
