import { useMemo, useState } from 'react'
import { Exact, print, type Value } from '../api/lossless'
import { Copy } from './Copy'
import './value.css'

const large = 64 * 1024 // characters that are shown only when asked for
const many = 100 // members that are shown at once

function isBranch(v: Value): v is Value[] | { [key: string]: Value } {
  return typeof v === 'object' && v !== null && !(v instanceof Exact)
}

function entriesOf(v: Value[] | { [key: string]: Value }): [string, Value][] {
  return Array.isArray(v) ? v.map((x, i) => [String(i), x]) : Object.entries(v)
}

function Leaf({ value }: { value: Value }) {
  const kind = typeof value === 'string' ? 'string' : value === null ? 'null' : typeof value === 'boolean' ? 'boolean' : 'number'
  return <span className={`value-${kind}`}>{print(value)}</span>
}

function Branch({ name, value, depth }: { name: string; value: Value[] | { [key: string]: Value }; depth: number }) {
  const [open, setOpen] = useState(depth < 2)
  const [shown, setShown] = useState(many)
  const entries = entriesOf(value)
  const size = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`
  return (
    <details open={open} onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary><span className="value-name">{name}</span> <span className="faint">{size}</span></summary>
      {open ? (
        <ul>
          {entries.slice(0, shown).map(([k, v]) => <li key={k}>{isBranch(v) && entriesOf(v).length ? <Branch name={k} value={v} depth={depth + 1} /> : <><span className="value-name">{k}</span> {isBranch(v) ? print(v) : <Leaf value={v} />}</>}</li>)}
          {entries.length > shown ? <li><button type="button" className="link" onClick={() => setShown(shown + 10 * many)}>{entries.length - shown} more</button></li> : null}
        </ul>
      ) : null}
    </details>
  )
}

// reference is the id of a value that is stored apart, and its size; null for any other value.
function reference(v: Value): { id: string; size: number } | null {
  if (!isBranch(v) || Array.isArray(v)) return null
  const id = v['$blob'], size = v['size']
  return typeof id === 'string' && typeof size === 'number' ? { id, size } : null
}

// ValueView shows a value as a tree of text. blob makes the address of a value that is stored
// apart.
export function ValueView({ value, name, blob }: { value: Value; name: string; blob?: (id: string) => string }) {
  const text = useMemo(() => print(value), [value])
  const [whole, setWhole] = useState(false)
  const apart = reference(value)
  if (apart && blob) return <p className="value">{(apart.size / 1024).toFixed(0)} KiB, stored apart: <a href={blob(apart.id)} download rel="noreferrer">{apart.id}</a></p>
  const tooLarge = text.length > large && !whole
  return (
    <div className="value" role="group" aria-label={name} tabIndex={0}>
      <Copy text={text} label={`Copy ${name}`} />
      {tooLarge
        ? <p>{(text.length / 1024).toFixed(0)} KiB. <button type="button" className="link" onClick={() => setWhole(true)}>Show it</button></p>
        : isBranch(value) && entriesOf(value).length ? <Branch name={name} value={value} depth={0} /> : <Leaf value={value} />}
      {text.includes('***') ? <p className="faint">*** stands where a secret was.</p> : null}
    </div>
  )
}
