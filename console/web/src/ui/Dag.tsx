import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import type { Nested } from '../layout/nested'
import type { Placed, Route } from '../layout/layers'
import './dag.css'

// DagNode is how a box looks; what stands in it is the caller's.
export interface DagNode {
  id: string
  hint: string // what a screen reader says behind what is seen
  body: ReactNode
  tone?: string | undefined // added to the class: mark-added, tone-red
  group?: boolean // it holds others
  inert?: boolean // it cannot be chosen
}

interface Props {
  layout: Nested
  nodes: DagNode[]
  label: string
  selected?: string | undefined
  onSelect?: ((id: string) => void) | undefined
  edgeTone?: ((e: Route) => string) | undefined
}

const margin = 16
const many = 200 // boxes; of more only those in sight are drawn

function line(points: [number, number][]): string {
  let path = ''
  points.forEach(([x, y], i) => {
    const before = points[i - 1]
    if (!before) path = `M${x} ${y}`
    else if (before[0] === x) path += `L${x} ${y}`
    else path += `C${before[0]} ${(before[1] + y) / 2} ${x} ${(before[1] + y) / 2} ${x} ${y}`
  })
  return path
}

// useSight is the part of the picture that can be seen, in its own coordinates.
function useSight(scale: number) {
  const ref = useRef<HTMLDivElement>(null)
  const [sight, set] = useState({ left: 0, top: 0, right: 4000, bottom: 3000 })
  useEffect(() => {
    const el = ref.current
    if (!el) return
    const look = () => set({ left: el.scrollLeft / scale - 400, top: el.scrollTop / scale - 400, right: (el.scrollLeft + el.clientWidth) / scale + 400, bottom: (el.scrollTop + el.clientHeight) / scale + 400 })
    look()
    el.addEventListener('scroll', look, { passive: true })
    const sized = new ResizeObserver(look)
    sized.observe(el)
    return () => { el.removeEventListener('scroll', look); sized.disconnect() }
  }, [scale])
  return { ref, sight }
}

// neighbour is where an arrow key leads: along an edge, or to the next box of the row.
function neighbour(layout: Nested, id: string, key: string): string | undefined {
  if (key === 'ArrowDown') return layout.edges.find((e) => e.from === id)?.to
  if (key === 'ArrowUp') return layout.edges.find((e) => e.to === id)?.from
  const at = layout.nodes.get(id)
  if (!at || (key !== 'ArrowLeft' && key !== 'ArrowRight')) return undefined
  const row = [...layout.nodes.values()].filter((n) => n.y === at.y).sort((a, b) => a.x - b.x)
  return row[row.findIndex((n) => n.id === id) + (key === 'ArrowRight' ? 1 : -1)]?.id
}

// Dag draws a graph. Boxes are buttons in the order of the graph; arrow keys follow the edges.
export function Dag({ layout, nodes, label, selected, onSelect, edgeTone }: Props) {
  const [scale, setScale] = useState(1)
  const { ref, sight } = useSight(scale)
  const byId = useMemo(() => new Map(nodes.map((n) => [n.id, n])), [nodes])
  const all = nodes.length <= many
  const seen = (p: Placed) => all || (p.x < sight.right && p.x + p.width > sight.left && p.y < sight.bottom && p.y + p.height > sight.top)
  const crosses = (e: Route) => {
    if (all) return true
    const first = e.points[0] as [number, number], last = e.points[e.points.length - 1] as [number, number]
    return first[1] < sight.bottom && last[1] > sight.top && Math.min(first[0], last[0]) < sight.right && Math.max(first[0], last[0]) > sight.left
  }
  const go = (id: string) => {
    onSelect?.(id)
    ref.current?.querySelector<HTMLElement>(`[data-node="${CSS.escape(id)}"]`)?.focus()
  }
  const onKeyDown = (e: KeyboardEvent, id: string) => {
    const next = neighbour(layout, id, e.key)
    if (!next) return
    e.preventDefault()
    go(next)
  }
  useEffect(() => {
    const p = selected ? layout.nodes.get(selected) : undefined
    const el = ref.current
    if (!p || !el) return
    const x = (p.x + p.width / 2 + margin) * scale, y = (p.y + p.height / 2 + margin) * scale
    if (x < el.scrollLeft || x > el.scrollLeft + el.clientWidth || y < el.scrollTop || y > el.scrollTop + el.clientHeight) el.scrollTo({ left: x - el.clientWidth / 2, top: y - el.clientHeight / 2 })
  }, [selected, layout, scale, ref])
  const fit = () => setScale(Math.max(0.4, Math.min(1, ((ref.current?.clientWidth ?? 0) - 8) / (layout.width + 2 * margin))))
  // A picture that is a little too wide is made to fit; of a large one the beginning is better.
  useEffect(() => { if (layout.width < 1600) fit() }, [layout.width])
  const width = layout.width + 2 * margin, height = layout.height + 2 * margin
  return (
    <div className="dag">
      <div className="dag-tools">
        <button type="button" onClick={() => setScale((s) => Math.max(0.4, s - 0.2))} aria-label="Smaller">−</button>
        <button type="button" onClick={() => setScale((s) => Math.min(1.6, s + 0.2))} aria-label="Larger">+</button>
        <button type="button" onClick={fit}>Fit</button>
      </div>
      <div className="dag-scroll" ref={ref} role="group" aria-label={label} tabIndex={0}>
        <div className="dag-size" style={{ width: width * scale, height: height * scale }}>
          <div className="dag-canvas" style={{ width, height, transform: `scale(${scale})` }}>
            <svg className="dag-edges" width={width} height={height} aria-hidden="true">
              <defs><marker id="dag-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" /></marker></defs>
              <g transform={`translate(${margin} ${margin})`}>{layout.edges.filter(crosses).map((e) => <path key={e.from + '\n' + e.to} className={edgeTone?.(e)} d={line(e.points)} markerEnd="url(#dag-tip)" />)}</g>
            </svg>
            {layout.order.filter((id) => byId.has(id) && seen(layout.nodes.get(id) as Placed)).map((id) => <Node key={id} node={byId.get(id) as DagNode} at={layout.nodes.get(id) as Placed} selected={selected === id} onSelect={go} onKeyDown={onKeyDown} />)}
          </div>
        </div>
      </div>
    </div>
  )
}

function Node({ node, at, selected, onSelect, onKeyDown }: { node: DagNode; at: Placed; selected: boolean; onSelect: (id: string) => void; onKeyDown: (e: KeyboardEvent, id: string) => void }) {
  const style = { left: at.x + margin, top: at.y + margin, width: at.width, height: at.height }
  const kind = `dag-node ${node.group ? 'dag-group' : ''} ${node.tone ?? ''}`
  if (node.inert) return <div className={kind} style={style}>{node.body}</div>
  if (node.group) {
    return <div className={kind} style={style} data-selected={selected}><button type="button" data-node={node.id} aria-pressed={selected} onClick={() => onSelect(node.id)} onKeyDown={(e) => onKeyDown(e, node.id)}>{node.body}<span className="sr">{node.hint}</span></button></div>
  }
  return <button type="button" className={kind} style={style} data-node={node.id} data-selected={selected} aria-pressed={selected} onClick={() => onSelect(node.id)} onKeyDown={(e) => onKeyDown(e, node.id)}>{node.body}<span className="sr">{node.hint}</span></button>
}
