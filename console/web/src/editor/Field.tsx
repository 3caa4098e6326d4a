import { useEffect, useId, useState } from 'react'
import { Exact, print, type Value } from '../api/lossless'
import type { FieldInfo } from '../yaml/schema'
import type { Written } from '../yaml/edit'
import { strings } from './strings'

const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

interface Props { info: FieldInfo; value: Value | undefined; disabled: boolean; write: (v: Written | null) => void; inText: () => void }

// Draft is an input whose text is written when one leaves it or presses Enter.
function TextField({ id, help, value, disabled, commit, lines, list }: { id: string; help: string; value: string; disabled: boolean; commit: (text: string) => void; lines: boolean; list?: string | undefined }) {
  const [text, setText] = useState(value)
  useEffect(() => setText(value), [value])
  const done = () => { if (text !== value) commit(text) }
  const shared = { id, value: text, disabled, 'aria-describedby': help, spellCheck: false, onBlur: done }
  return lines
    ? <textarea {...shared} rows={Math.min(10, Math.max(2, text.split('\n').length))} onChange={(e) => setText(e.target.value)} />
    : <input {...shared} list={list} onChange={(e) => setText(e.target.value)} onKeyDown={(e) => { if (e.key === 'Enter') done() }} />
}

const isScalar = (v: Value | undefined) => v === undefined || v === null || typeof v !== 'object' || v instanceof Exact

// Field is one field of a step: what its schema says it is, and what its text says now.
export function Field({ info, value, disabled, write, inText }: Props) {
  const id = useId()
  const shown = value === undefined || value === null ? '' : value instanceof Exact ? value.text : typeof value === 'object' ? print(value) : String(value)
  const commit = (text: string) => {
    if (text === '') write(info.required ? { text: '' } : null)
    else if (info.kind === 'integer' || info.kind === 'number') write(number.test(text) ? { raw: text } : { text })
    else write({ text })
  }
  const complex = !isScalar(value) || info.kind === 'array' || info.kind === 'object' || info.kind === 'any'
  const placeholder = info.default === undefined || info.default === null ? '' : `default ${String(info.default)}`
  return (
    <div className="form-field">
      <label htmlFor={id}>{info.name}{info.required ? <span className="faint"> required</span> : null}</label>
      {complex && !(info.kind === 'any' && typeof value === 'string') ? (
        <span className="complex"><code>{shown ? shown.replace(/\s+/g, ' ').slice(0, 80) : '–'}</code><button type="button" id={id} className="link" onClick={inText}>{strings.inText}</button></span>
      ) : info.kind === 'boolean' && typeof value !== 'string' ? (
        <select id={id} value={shown} disabled={disabled} aria-describedby={id + 'h'} onChange={(e) => write(e.target.value === '' ? null : { raw: e.target.value })}><option value="">{placeholder || 'not set'}</option><option>true</option><option>false</option></select>
      ) : info.kind === 'enum' && (shown === '' || info.enum.includes(shown)) ? (
        <select id={id} value={shown} disabled={disabled} aria-describedby={id + 'h'} onChange={(e) => commit(e.target.value)}>{info.required && shown !== '' ? null : <option value="">{placeholder || 'not set'}</option>}{info.enum.map((v) => <option key={v}>{v}</option>)}</select>
      ) : <TextField id={id} help={id + 'h'} value={shown} disabled={disabled} commit={commit} lines={shown.includes('\n') || info.name === 'script'} />}
      {info.description ? <span className="faint" id={id + 'h'}>{info.description}</span> : <span id={id + 'h'} hidden />}
    </div>
  )
}
