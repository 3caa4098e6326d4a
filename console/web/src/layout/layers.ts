// Layered layout of a graph, from top to bottom: every edge of an acyclic graph leads down.
// Pure and deterministic; O(n log n) but for long edges, which are bent only while there are few.

export interface Box { id: string; width: number; height: number }
export interface Edge { from: string; to: string }
export interface Placed extends Box { x: number; y: number; layer: number }
export interface Route extends Edge { points: [number, number][] }
export interface Layout { nodes: Map<string, Placed>; order: string[]; edges: Route[]; width: number; height: number }

export const gapX = 24
export const gapY = 40
const sweeps = 6
const maxBends = 20_000

// Item is a box, or a bend of an edge that passes through a layer.
interface Item { id: string; width: number; height: number; layer: number; x: number; place: number; key: number; up: Item[]; down: Item[] }

// ranksOf returns the layer of each box: one more than the lowest of those before it. Edges that
// close a circle, lead to themselves or to nothing are left out.
export function ranksOf(ids: string[], edges: Edge[]): { rank: Map<string, number>; kept: Edge[]; order: string[] } {
  const known = new Set(ids)
  const out = new Map<string, string[]>()
  const missing = new Map<string, number>(ids.map((id) => [id, 0]))
  const seen = new Set<string>()
  const usable = edges.filter((e) => {
    const key = e.from + '\n' + e.to
    if (e.from === e.to || !known.has(e.from) || !known.has(e.to) || seen.has(key)) return false
    seen.add(key)
    return true
  })
  for (const e of usable) {
    const next = out.get(e.from)
    if (next) next.push(e.to)
    else out.set(e.from, [e.to])
    missing.set(e.to, (missing.get(e.to) ?? 0) + 1)
  }
  const rank = new Map<string, number>()
  const order: string[] = []
  const queue = ids.filter((id) => missing.get(id) === 0)
  const take = (id: string, at: number) => { rank.set(id, at); order.push(id) }
  queue.forEach((id) => rank.set(id, 0))
  let next = 0
  for (let cut = 0; order.length < ids.length;) {
    if (next === queue.length) {
      // Only circles are left: cut the first of them open.
      while (missing.get(ids[cut] as string) === -1) cut++
      queue.push(ids[cut] as string)
    }
    const id = queue[next++] as string
    if (missing.get(id) === -1) continue
    missing.set(id, -1)
    take(id, rank.get(id) ?? 0)
    for (const to of out.get(id) ?? []) {
      const left = missing.get(to) as number
      if (left < 0) continue
      rank.set(to, Math.max(rank.get(to) ?? 0, (rank.get(id) ?? 0) + 1))
      missing.set(to, left - 1)
      if (left === 1) queue.push(to)
    }
  }
  return { rank, order, kept: usable.filter((e) => (rank.get(e.from) as number) < (rank.get(e.to) as number)) }
}

// layers places boxes so that none overlap, and routes the edges between them.
export function layers(boxes: Box[], edges: Edge[]): Layout {
  const { rank, kept, order } = ranksOf(boxes.map((b) => b.id), edges)
  const items = new Map<string, Item>()
  const rows: Item[][] = []
  const put = (item: Item) => { (rows[item.layer] ??= []).push(item) }
  const byId = new Map(boxes.map((b) => [b.id, b]))
  for (const id of order) {
    const b = byId.get(id) as Box
    const item: Item = { id, width: b.width, height: b.height, layer: rank.get(id) as number, x: 0, place: 0, key: 0, up: [], down: [] }
    items.set(id, item)
    put(item)
  }
  const span = kept.reduce((n, e) => n + (rank.get(e.to) as number) - (rank.get(e.from) as number) - 1, 0)
  const chains = kept.map((e) => chain(items.get(e.from) as Item, items.get(e.to) as Item, span <= maxBends, put))
  for (let i = 0; i < rows.length; i++) rows[i] ??= []
  for (let i = 0; i < sweeps; i++) sortRows(rows, i % 2 === 0)
  for (const row of rows) pack(row, row.map((_, i) => i))
  for (let i = 0; i < sweeps + 1; i++) alignRows(rows, i % 2 === 0)
  return measure(boxes, items, rows, chains, order)
}

// chain links two items, through a bend in each layer between them.
function chain(from: Item, to: Item, bent: boolean, put: (i: Item) => void): Item[] {
  const path = [from]
  for (let layer = from.layer + 1; bent && layer < to.layer; layer++) {
    const bend: Item = { id: '', width: 1, height: 0, layer, x: 0, place: 0, key: 0, up: [], down: [] }
    put(bend)
    path.push(bend)
  }
  path.push(to)
  for (let i = 1; i < path.length; i++) {
    (path[i - 1] as Item).down.push(path[i] as Item);
    (path[i] as Item).up.push(path[i - 1] as Item)
  }
  return path
}

// sortRows orders each row by the mean place of what it hangs on, which lets fewer edges cross.
function sortRows(rows: Item[][], down: boolean) {
  const number = (row: Item[]) => row.forEach((item, i) => { item.place = i / Math.max(1, row.length - 1) })
  rows.forEach(number)
  for (const row of down ? rows : [...rows].reverse()) {
    for (const item of row) {
      const near = down ? item.up : item.down
      item.key = near.length ? near.reduce((n, o) => n + o.place, 0) / near.length : item.place
    }
    row.sort((a, b) => a.key - b.key)
    number(row)
  }
}

// alignRows moves each row under (or over) what it hangs on.
function alignRows(rows: Item[][], down: boolean) {
  for (const row of down ? rows : [...rows].reverse()) {
    pack(row, row.map((item) => {
      const near = down ? item.up : item.down
      return near.length ? near.reduce((n, o) => n + o.x, 0) / near.length : item.x
    }))
  }
}

// pack sets the centres of a row as near to the wanted ones as its order and the gaps allow, in
// the sense of least squares: items that would collide become a block, which has the mean.
function pack(row: Item[], wanted: number[]) {
  let offset = 0
  const offsets = row.map((item, i) => {
    const before = row[i - 1]
    if (before) offset += before.width / 2 + item.width / 2 + gapX
    return offset
  })
  const blocks: { sum: number; size: number }[] = []
  row.forEach((_, i) => {
    blocks.push({ sum: (wanted[i] as number) - (offsets[i] as number), size: 1 })
    for (;;) {
      const last = blocks[blocks.length - 1] as { sum: number; size: number }, previous = blocks[blocks.length - 2]
      if (!previous || previous.sum / previous.size <= last.sum / last.size) break
      blocks.pop()
      previous.sum += last.sum
      previous.size += last.size
    }
  })
  let i = 0
  for (const block of blocks) {
    for (let n = 0; n < block.size; n++, i++) (row[i] as Item).x = block.sum / block.size + (offsets[i] as number)
  }
}

// measure turns centres and layers into corners, from 0 on.
function measure(boxes: Box[], items: Map<string, Item>, rows: Item[][], chains: Item[][], order: string[]): Layout {
  let left = Infinity, right = -Infinity, y = 0
  const tops: number[] = [], heights: number[] = []
  for (const row of rows) {
    const height = row.reduce((n, i) => Math.max(n, i.height), 0)
    tops.push(y)
    heights.push(height)
    y += height + gapY
    for (const i of row) { left = Math.min(left, i.x - i.width / 2); right = Math.max(right, i.x + i.width / 2) }
  }
  const nodes = new Map(boxes.map((b) => {
    const i = items.get(b.id) as Item
    return [b.id, { ...b, x: Math.round(i.x - b.width / 2 - left), y: tops[i.layer] as number, layer: i.layer }]
  }))
  const edges = chains.map((path) => {
    const points: [number, number][] = []
    path.forEach((i, n) => {
      const x = Math.round(i.x - left), top = tops[i.layer] as number
      if (n > 0) points.push([x, top])
      if (n < path.length - 1) points.push([x, top + (i.id ? i.height : heights[i.layer] as number)])
    })
    return { from: (path[0] as Item).id, to: (path[path.length - 1] as Item).id, points }
  })
  return { nodes, order, edges, width: boxes.length ? Math.ceil(right - left) : 0, height: Math.max(0, y - gapY) }
}
