// Values by forms that are made of JSON Schemas: the input of a run, the parameters of a
// template, the answer of an approval. What is entered stays exact JSON text, and the server
// alone judges it.
import { useEffect, useId, useMemo, useRef, useState } from 'react'
import { parse, print, type Value } from '../api/lossless'
import { jsonOf, place, unreadable, type Issue } from './schema/edit'
import { Field, type Form } from './schema/Field'
import { isSchema, show } from './schema/kinds'
import { strings } from './schema/strings'
import './schema/style.css'

export { issuesOf, type Issue } from './schema/edit'

// ValueForm is the state of a form. json is the value's text, null while what was typed is
// not JSON.
export interface ValueForm {
  schema: Value | undefined
  value: Value | undefined
  text: string | null // while it is edited as text
  json: string | null
  formless: boolean // the schema says nothing that a form could show
  setValue: (value: Value | undefined) => void
  setText: (text: string | null) => void
}

function readable(text: string): Value | undefined {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}

// useValueForm keeps a value for a schema, as its screen's state. A schema without a form, and
// an initial value of more than 100 kB, are edited as text.
export function useValueForm(schema: Value | undefined, initial?: Value): ValueForm {
  const formless = useMemo(() => show(schema, isSchema(schema) ? schema : {}).kind === 'json', [schema])
  const [value, setValue] = useState<Value | undefined>(initial)
  const [typed, setTyped] = useState<string | null>(() => {
    const text = initial === undefined ? '' : print(initial)
    return text.length > 100_000 ? text : null
  })
  const text = typed ?? (formless ? (jsonOf(value) ?? '{}') : null)
  const json = useMemo(() => (text === null ? jsonOf(value) : readable(text) === undefined ? null : text), [text, value])
  const setText = (next: string | null) => {
    setTyped(next)
    const read = next === null ? (text === null ? value : readable(text)) : undefined
    if (read !== undefined) setValue(read)
  }
  return { schema, value, text, json, formless, setValue: (v) => { setValue(v); if (typed !== null) setTyped(v === undefined ? '{}' : print(v)) }, setText }
}

// SchemaForm shows a ValueForm. issues are the server's findings of the last try: the first
// field that has one takes the focus.
export function SchemaForm({ form, issues = [], label, disabled = false }: { form: ValueForm; issues?: Issue[]; label: string; disabled?: boolean }) {
  const id = useId()
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => { if (issues.length) box.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus() }, [issues])
  const { schema, value } = form
  const shared: Form = {
    root: isSchema(schema) ? schema : {}, id, disabled,
    errors: useMemo(() => place(issues, schema, value), [issues]), // where they were found: not moved by later edits
    unreadable: new Set(unreadable(value)),
  }
  return (
    <div className="schema-form" ref={box} role="group" aria-label={label}>
      {form.formless ? null : (
        <div className="modes" role="group" aria-label={strings.editAs}>
          <button type="button" aria-pressed={form.text === null} disabled={form.text !== null && form.json === null} onClick={() => form.setText(null)}>{strings.form}</button>
          <button type="button" aria-pressed={form.text !== null} disabled={form.text === null && form.json === null} onClick={() => form.setText(form.json ?? '{}')}>{strings.json}</button>
        </div>
      )}
      {form.text === null
        ? <Field form={shared} name={strings.value} at="" depth={0} schema={schema ?? {}} value={value} required onChange={form.setValue} />
        : <TextValue id={id} label={label} form={form} issues={issues} disabled={disabled} />}
    </div>
  )
}

function TextValue({ id, label, form, issues, disabled }: { id: string; label: string; form: ValueForm; issues: Issue[]; disabled: boolean }) {
  const text = form.text ?? ''
  const broken = form.json === null
  return (
    <div className={broken || issues.length ? 'field wrong' : 'field'}>
      <label htmlFor={`${id}-text`} className="field-label">{label}, {strings.json}</label>
      <textarea id={`${id}-text`} rows={Math.min(16, Math.max(4, text.split('\n', 16).length))} spellCheck={false} value={text} disabled={disabled} aria-invalid={broken || issues.length > 0}
        aria-describedby={broken || issues.length ? `${id}-text-wrong` : undefined} onChange={(e) => form.setText(e.target.value)} />
      {broken || issues.length ? (
        <ul id={`${id}-text-wrong`} className="field-note tone-red">
          {broken ? <li>{strings.noJSON}</li> : issues.map((i) => <li key={i.pointer + i.message}>{i.pointer ? <code>{i.pointer}</code> : null} {i.message}</li>)}
        </ul>
      ) : null}
    </div>
  )
}
