import { useEffect, useRef, useState } from 'react'
import { Exact, print, type Value } from '../api/lossless'
import { functional, inWords, keyOf, markOf, type Change, type Field } from '../diff/changes'
import { folded, words } from '../diff/words'
import './changes.css'

const page = 100 // cards that are drawn at once
const long = 60 // characters of a text that is compared by words

const isText = (v: Value | undefined): v is string => typeof v === 'string'

// shown is a value as it stands in a definition; texts without their quotes.
function shown(v: Value): string {
  if (isText(v)) return v
  return Array.isArray(v) && v.every((x) => typeof x !== 'object' || x === null || x instanceof Exact) ? `[${v.map((x) => (isText(x) ? x : print(x))).join(', ')}]` : print(v)
}

function Side({ kind, value }: { kind: 'gone' | 'new'; value: Value }) {
  const Tag = kind === 'gone' ? 'del' : 'ins'
  return <Tag className={kind}><span className="sr">{kind === 'gone' ? 'Before: ' : 'After: '}</span>{shown(value)}</Tag>
}

// FieldChange is one value before and after. Long texts that share words are one text with
// what changed in it.
function FieldChange({ field }: { field: Field }) {
  const { before, after } = field
  const both = isText(before) && isText(after) && Math.max(before.length, after.length) > long
  return (
    <div className="change-field">
      <dt>{inWords(field.path)}</dt>
      <dd>
        {both ? (
          <pre className="inline-diff">{folded(words(before, after)).map((p, i) => (p.kind === 'same' ? <span key={i}>{p.text}</span> : p.kind === 'gone' ? <del key={i}>{p.text}</del> : <ins key={i}>{p.text}</ins>))}</pre>
        ) : (
          <>{before !== undefined ? <Side kind="gone" value={before} /> : null}{after !== undefined ? <Side kind="new" value={after} /> : null}</>
        )}
      </dd>
    </div>
  )
}

// ChangeCard is what became of one step, or of the settings. content is what a step that is
// added or removed consists of, title stands in place of its name.
export function ChangeCard({ change, content, selected, onSelect, title: given }: { change: Change; content?: Value | undefined; selected?: boolean; onSelect?: (() => void) | undefined; title?: string }) {
  const mark = markOf(change.change)
  const ref = useRef<HTMLElement>(null)
  useEffect(() => { if (selected) ref.current?.scrollIntoView({ block: 'nearest' }) }, [selected])
  const title = given ?? change.step_id ?? 'Settings of the workflow'
  return (
    <article ref={ref} className={`change change-${change.change}`} data-selected={selected ?? false} aria-label={`${title}, ${mark.word}`}>
      <div className="change-head">
        <span className="sign" aria-hidden="true">{mark.sign}</span>
        {onSelect ? <button type="button" className="name" aria-pressed={selected} onClick={onSelect}>{title}</button> : <span className="name">{title}</span>}
        <span className="faint">{change.change === 'settings' ? '' : mark.word}{change.previous_id ? <> from <code>{change.previous_id}</code></> : null}</span>
      </div>
      {change.fields?.length ? <dl>{change.fields.map((f) => <FieldChange key={f.path} field={f} />)}</dl> : null}
      {content !== undefined ? <details><summary>{change.change === 'removed' ? 'What it was' : 'What it is'}</summary><pre>{print(content)}</pre></details> : null}
    </article>
  )
}

// NoFunctional says that two definitions do the same, by the summary of their difference.
export function NoFunctional({ summary, changes }: { summary: string; changes: Change[] }) {
  if (changes.length === 0) return <p className="banner">Both are the same definition.</p>
  return functional(summary) ? null : <p className="banner">No functional change: runs would do the same as before.</p>
}

// Changes lists what changed, a card each, in the order of the server.
export function Changes({ changes, contentOf, selected, onSelect }: { changes: Change[]; contentOf?: (c: Change) => Value | undefined; selected?: string | undefined; onSelect?: (key: string) => void }) {
  const at = changes.findIndex((c) => keyOf(c) === selected)
  const [count, setCount] = useState(page)
  const drawn = Math.max(count, at + 1)
  return (
    <div className="changes">
      {changes.slice(0, drawn).map((c) => <ChangeCard key={keyOf(c)} change={c} content={contentOf?.(c)} selected={selected === keyOf(c)} onSelect={onSelect ? () => onSelect(keyOf(c)) : undefined} />)}
      {drawn < changes.length ? <button type="button" onClick={() => setCount(drawn + page)}>Show {Math.min(page, changes.length - drawn)} more of {changes.length - drawn}</button> : null}
    </div>
  )
}
