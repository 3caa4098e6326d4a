import { Exact, print, type Value } from '../../api/lossless'
import { typed } from './edit'
import { descriptionOf, exampleOf, optionsOf, type Shown } from './kinds'
import { describedBy } from './Labelled'
import { strings } from './strings'

export interface ControlProps {
  id: string; shown: Shown; value: Value | undefined; errors: string[]; required: boolean; disabled: boolean
  onChange: (value: Value | undefined) => void
}

const line = (v: Value): string => (typeof v === 'string' ? v : print(v).replace(/\s*\n\s*/g, ' '))

// placeholder says what stands there if nothing is typed, or how it might look.
function placeholder(shown: Shown): string | undefined {
  const example = exampleOf(shown.schema)
  if (!example) return undefined
  return example.isDefault ? strings.isDefault(line(example.value)) : line(example.value)
}

// Control is what a text, a number, a choice or JSON is entered in.
export function Control(props: ControlProps) {
  switch (props.shown.kind) {
    case 'enum': return <Choice {...props} options={optionsOf(props.shown.schema).map((v) => [v, line(v)])} />
    case 'boolean': return <Choice {...props} options={[[true, strings.yes], [false, strings.no]]} />
    case 'number': return <NumberField {...props} />
    case 'json': return <JSONField {...props} />
    default: return <TextField {...props} />
  }
}

const common = ({ id, shown, errors, required, disabled }: ControlProps) => ({
  id, disabled, 'aria-required': required, 'aria-invalid': errors.length > 0, spellCheck: false,
  'aria-describedby': describedBy(id, descriptionOf(shown.schema), errors), placeholder: placeholder(shown),
})

// A text of a format or a pattern has one line; others may have several, of which an input
// would drop the breaks.
function TextField(props: ControlProps) {
  const { schema } = props.shown
  const value = typeof props.value === 'string' ? props.value : ''
  const change = (text: string) => props.onChange(text === '' ? undefined : text)
  const short = 'format' in schema || 'pattern' in schema || (typeof schema['maxLength'] === 'number' && schema['maxLength'] <= 200)
  if (short && !/[\r\n]/.test(value)) {
    const type = schema['format'] === 'date' && (value === '' || /^\d{4}-\d\d-\d\d$/.test(value)) ? 'date' : 'text'
    return <input {...common(props)} type={type} autoComplete="off" value={value} onChange={(e) => change(e.target.value)} />
  }
  return <textarea {...common(props)} className="text" rows={1} value={value} onChange={(e) => change(e.target.value)} />
}

// A number stays the text that was typed: 1.0 and 9007199254740993 are not what they would be in
// JavaScript.
function NumberField(props: ControlProps) {
  const { value } = props
  return <input {...common(props)} inputMode="decimal" autoComplete="off" className="num" value={value === undefined || value === null ? '' : line(value)} onChange={(e) => props.onChange(typed(e.target.value))} />
}

function JSONField(props: ControlProps) {
  const { value } = props
  return <textarea {...common(props)} rows={3} value={value === undefined ? '' : value instanceof Exact ? value.text : print(value)}
    onChange={(e) => props.onChange(e.target.value === '' ? undefined : new Exact(e.target.value))} />
}

const same = (a: Value | undefined, b: Value): boolean => a !== undefined && print(a) === print(b)

// Choice is a select; what it has no option for stays as it is, and is shown as such.
function Choice(props: ControlProps & { options: [Value, string][] }) {
  const { value, options, required, onChange, shown } = props
  const at = options.findIndex(([v]) => same(value, v))
  const example = exampleOf(shown.schema)
  const unset = example?.isDefault ? strings.isDefault(options.find(([v]) => same(example.value, v))?.[1] ?? line(example.value)) : strings.notSet
  const { placeholder: _, spellCheck: __, ...rest } = common(props)
  return (
    <select {...rest} value={value === undefined ? '' : at < 0 ? 'other' : String(at)} onChange={(e) => onChange(options[Number(e.target.value)]?.[0])}>
      <option value="" disabled={required && value !== undefined && !example?.isDefault}>{unset}</option>
      {options.map(([, word], i) => <option key={i} value={String(i)}>{word}</option>)}
      {value !== undefined && at < 0 ? <option value="other" disabled>{line(value)}</option> : null}
    </select>
  )
}
