import type { Value } from '../api/lossless'
import { flatten, type StepNode } from '../layout/definition'
import type { Read } from '../yaml/document'
import { addStep, listText, removeKey, removeStep, setValue, type Edit, type Written } from '../yaml/edit'
import { at, fieldsOf, memberOf, type FieldInfo, type Schema } from '../yaml/schema'
import { tokens } from '../diff/changes'
import { Field } from './Field'
import { strings } from './strings'

interface Props { read: Read; step: StepNode; schema: Schema; disabled: boolean; edit: (e: Edit) => void; inText: (pointer: string) => void }

// Of a step's own fields, those that have a place of their own, or none in a form.
const elsewhere = new Set(['id', 'config', 'depends_on', 'steps', 'compensate', 'output_schema', 'retry'])

// free is a name that no step has.
function free(all: StepNode[]): string {
  const used = new Set(all.map((s) => s.id))
  for (let n = 1; ; n++) if (!used.has(`step_${n}`)) return `step_${n}`
}

// Dependencies are the other steps of the list, of which some come first.
function Dependencies({ read: r, step, disabled, write }: { read: Read; step: StepNode; disabled: boolean; write: (v: Written | null) => void }) {
  const others = flatten(r.steps).filter((s) => s.id !== step.id && s.parent === step.parent && s.list === step.list && !s.id.startsWith('/'))
  if (others.length === 0) return null
  const toggle = (id: string) => {
    const next = step.dependsOn.includes(id) ? step.dependsOn.filter((d) => d !== id) : [...step.dependsOn, id]
    write(next.length ? listText(r, next) : null)
  }
  const missing = step.dependsOn.filter((d) => !others.some((o) => o.id === d))
  return (
    <fieldset className="depends" disabled={disabled}>
      <legend>depends_on</legend>
      {[...others.map((o) => o.id), ...missing].slice(0, 60).map((id) => <label key={id}><input type="checkbox" checked={step.dependsOn.includes(id)} onChange={() => toggle(id)} /> {id}</label>)}
    </fieldset>
  )
}

// StepForm is a step as a form. Each change replaces the text of that value, and nothing else.
export function StepForm({ read: r, step, schema, disabled, edit, inText }: Props) {
  const apply = (e: Edit | null) => { if (e) edit(e) }
  const write = (pointer: string) => (v: Written | null) => apply(v === null ? removeKey(r, pointer) : setValue(r, pointer, v))
  const own = fieldsOf(schema, at(schema, tokens(step.pointer), r.definition)).filter((f) => !elsewhere.has(f.name))
  const config = fieldsOf(schema, at(schema, [...tokens(step.pointer), 'config'], r.definition)).filter((f) => f.name !== 'steps')
  const retry = fieldsOf(schema, at(schema, [...tokens(step.pointer), 'retry'], r.definition))
  const all = (fields: FieldInfo[], inside: string, values: Value | undefined) => [...fields].sort((a, b) => Number(b.required) - Number(a.required)).map((f) => {
    const pointer = `${step.pointer}${inside}/${f.name}`
    return <Field key={pointer} info={f} value={memberOf(values, f.name)} disabled={disabled} write={write(pointer)} inText={() => inText(pointer)} />
  })
  const last = flatten(r.steps)
  return (
    <div className="step-form">
      <p className="step-title"><code>{step.id}</code>
        <button type="button" disabled={disabled} onClick={() => apply(addStep(r, step.pointer, free(last), step.id))}>{strings.addAfter}</button>
        <button type="button" disabled={disabled || !removeStep(r, step.pointer)} onClick={() => apply(removeStep(r, step.pointer))}>{strings.remove}</button>
      </p>
      {all(own.filter((f) => f.name === 'type' || f.name === 'name'), '', step.raw)}
      <Dependencies read={r} step={step} disabled={disabled} write={write(step.pointer + '/depends_on')} />
      {config.length ? <h3>config</h3> : null}
      {all(config, '/config', memberOf(step.raw, 'config'))}
      <details><summary>When it runs, fails and is tried again</summary>
        {all(own.filter((f) => f.name !== 'type' && f.name !== 'name'), '', step.raw)}
        {retry.length ? <h3>retry</h3> : null}
        {all(retry, '/retry', memberOf(step.raw, 'retry'))}
      </details>
    </div>
  )
}
