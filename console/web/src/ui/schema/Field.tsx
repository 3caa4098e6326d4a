import { Exact, type Value } from '../../api/lossless'
import { Control } from './Control'
import { blank, setMember, step } from './edit'
import { descriptionOf, isSchema, maxItems, optionsOf, propertiesOf, requires, show, titleOf, type Schema, type Shown } from './kinds'
import { Labelled, Notes } from './Labelled'
import { strings } from './strings'

// Form is what all fields of a form share.
export interface Form { root: Schema; id: string; disabled: boolean; errors: Map<string, string[]>; unreadable: Set<string> }

export interface FieldProps {
  form: Form; name: string; at: string; depth: number; schema: Value; value: Value | undefined; required: boolean
  onChange: (value: Value | undefined) => void
}

// Field is one value of a form, with all that is in it. at is its JSON pointer.
export function Field(props: FieldProps) {
  const shown = show(props.schema, props.form.root, props.depth)
  const { kind } = shown
  if (kind === 'object' && (props.value === undefined || isSchema(props.value))) return <Members {...props} shown={shown} />
  if (kind === 'array' && (props.value === undefined || (Array.isArray(props.value) && props.value.length <= maxItems))) return <Items {...props} shown={shown} />
  // A value that is not what the schema asks for is edited as what it is.
  const fits = kind === 'string' ? props.value === undefined || props.value === null || typeof props.value === 'string'
    : kind === 'number' ? !isSchema(props.value) && !Array.isArray(props.value) && typeof props.value !== 'string' && typeof props.value !== 'boolean' : kind === 'boolean' || kind === 'enum'
  return <Leaf {...props} shown={fits ? shown : { ...shown, kind: 'json' }} />
}

function errorsOf(form: Form, at: string, shown: Shown): string[] {
  const mine = form.unreadable.has(at) ? [shown.kind === 'number' ? strings.noNumber : strings.noJSON] : []
  return [...mine, ...(form.errors.get(at) ?? [])]
}

function Leaf({ form, name, at, value, required, onChange, shown }: FieldProps & { shown: Shown }) {
  const id = form.id + at
  const errors = errorsOf(form, at, shown)
  const isNull = value === null && shown.nullable
  const nullBox = shown.nullable ? (
    <label className="null"><input type="checkbox" checked={isNull} disabled={form.disabled} onChange={(e) => onChange(e.target.checked ? null : undefined)} /><span className="sr">{name}: </span>{strings.null}</label>
  ) : null
  return (
    <Labelled id={id} label={titleOf(shown.schema, name)} required={required} description={descriptionOf(shown.schema)} errors={errors} extra={nullBox}>
      <Control id={id} shown={shown} value={isNull ? undefined : value} errors={errors} required={required} disabled={form.disabled || isNull} onChange={onChange} />
    </Labelled>
  )
}

// Members are an object's fields. What the object holds beside them stays in it.
export function Members({ form, name, at, depth, value, required, onChange, shown }: FieldProps & { shown: Shown }) {
  const id = form.id + at
  const change = (member: string, v: Value | undefined) => {
    const next = setMember(value, member, v)
    onChange(v === undefined && !required && Object.keys(next).length === 0 ? undefined : next)
  }
  const fields = propertiesOf(shown.schema).map(([member, schema]) => (
    <Field key={member} form={form} name={member} at={at + step(member)} depth={depth + 1} schema={schema} required={requires(shown.schema, member)}
      value={isSchema(value) && Object.hasOwn(value, member) ? value[member] : undefined} onChange={(v) => change(member, v)} />
  ))
  const notes = <Notes id={id} description={descriptionOf(shown.schema)} errors={errorsOf(form, at, shown)} />
  if (at === '') return <>{notes}{fields}</>
  return (
    <div className="field group" role="group" aria-labelledby={`${id}-label`}>
      <div className="field-head"><span className="field-label" id={`${id}-label`}>{titleOf(shown.schema, name)}</span>{required ? null : <span className="faint">{strings.optional}</span>}</div>
      {notes}
      {fields}
    </div>
  )
}

function Items({ form, name, at, depth, value, required, onChange, shown }: FieldProps & { shown: Shown }) {
  const id = form.id + at
  const list = Array.isArray(value) ? value : []
  const schema = shown.schema['items'] as Value
  const item = show(schema, form.root, depth + 1)
  const title = titleOf(shown.schema, name)
  const change = (next: Value[]) => onChange(next.length === 0 && !required ? undefined : next)
  const empty = blank(item.kind, item.kind === 'enum' ? optionsOf(item.schema) : [])
  return (
    <div className="field group list" role="group" aria-labelledby={`${id}-label`}>
      <div className="field-head"><span className="field-label" id={`${id}-label`}>{title}</span>{required ? null : <span className="faint">{strings.optional}</span>}</div>
      <Notes id={id} description={descriptionOf(shown.schema)} errors={errorsOf(form, at, shown)} />
      {list.map((v, i) => (
        <div key={i} className="item">
          <Field form={form} name={strings.item(title, i)} at={at + step(i)} depth={depth + 1} schema={schema} value={v} required
            onChange={(next) => change(list.map((old, j) => (j === i ? (next ?? (item.kind === 'json' ? new Exact('') : empty)) : old)))} />
          <button type="button" className="form-quiet" disabled={form.disabled} aria-label={strings.remove(strings.item(title, i))} title={strings.remove(strings.item(title, i))} onClick={() => change(list.filter((_, j) => j !== i))}>✕</button>
        </div>
      ))}
      <button type="button" className="form-quiet add" disabled={form.disabled} aria-label={strings.add(title)} onClick={() => onChange([...list, empty])}>+ {strings.addItem}</button>
    </div>
  )
}
