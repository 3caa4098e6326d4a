import { useId, useState } from 'react'
import { build, kinds, read, usual, type Kind, type Preset } from './presets'
import { text } from './strings'

const zones = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((z) => z !== 'UTC')]

// Zone is a zone's name, with those that the browser knows to choose from.
export function Zone({ value, onChange }: { value: string; onChange: (zone: string) => void }) {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>Time zone</label>
      <input id={id} list={id + 'l'} value={value} spellCheck={false} autoComplete="off" required onChange={(e) => onChange(e.target.value)} />
      <datalist id={id + 'l'}>{zones.map((z) => <option key={z} value={z} />)}</datalist>
    </div>
  )
}

function Days({ days, onChange }: { days: number[]; onChange: (days: number[]) => void }) {
  return (
    <fieldset className="days"><legend>On</legend>
      {[1, 2, 3, 4, 5, 6, 0].map((d) => (
        <label key={d}><input type="checkbox" checked={days.includes(d)} disabled={days.length === 1 && days[0] === d}
          onChange={(e) => onChange(e.target.checked ? [...days, d] : days.filter((x) => x !== d))} />{text.days[d]}</label>
      ))}
    </fieldset>
  )
}

function PresetFields({ kind, p, set }: { kind: Kind; p: Preset; set: (change: Partial<Preset>) => void }) {
  const range = (n: number, from = 0) => Array.from({ length: n }, (_, i) => i + from).map((v) => <option key={v} value={v}>{v}</option>)
  return (
    <>
      {kind === 'minutes' ? <label className="field">Minutes <select value={p.every} onChange={(e) => set({ every: Number(e.target.value) })}>{[5, 10, 15, 20, 30].map((v) => <option key={v}>{v}</option>)}</select></label> : null}
      {kind === 'hourly' ? <label className="field">At minute <select value={p.minute} onChange={(e) => set({ minute: Number(e.target.value) })}>{range(60)}</select></label> : null}
      {kind === 'weekly' ? <Days days={p.days} onChange={(days) => set({ days })} /> : null}
      {kind === 'monthly' ? <label className="field">Day <select value={p.day} onChange={(e) => set({ day: Number(e.target.value) })}>{range(31, 1)}</select></label> : null}
      {['daily', 'weekdays', 'weekly', 'monthly'].includes(kind) ? <label className="field">At <input type="time" required value={p.time} onChange={(e) => { if (e.target.value) set({ time: e.target.value.slice(0, 5) }) }} /></label> : null}
    </>
  )
}

function Five({ value, onChange }: { value: string; onChange: (expression: string) => void }) {
  const parts = value.trim().split(/\s+/)
  const set = (i: number, v: string) => onChange(text.fields.map((_, k) => (k === i ? v.replace(/\s/g, '') || '*' : parts[k] || '*')).join(' '))
  return (
    <div className="five">
      {text.fields.map((name, i) => <label key={name} className="field">{name} <input value={parts[i] ?? '*'} spellCheck={false} autoComplete="off" onChange={(e) => set(i, e.target.value)} onFocus={(e) => e.target.select()} /></label>)}
    </div>
  )
}

// Expression is when a schedule is due: by a form for the usual cases, by five fields, or as
// text. The expression itself is always shown.
export function Expression({ value, onChange, invalid }: { value: string; onChange: (expression: string) => void; invalid: boolean }) {
  const [kind, setKind] = useState<Kind>(() => read(value).kind)
  const now = read(value)
  const preset = now.kind === kind ? now.preset : usual
  const id = useId()
  const choose = (k: Kind) => {
    setKind(k)
    if (k === 'fields' && value.trim().split(/\s+/).length !== 5) onChange('0 2 * * *')
    else if (k !== 'fields' && k !== 'text') onChange(build(k, { ...usual, time: now.preset.time }))
  }
  return (
    <div className="expression">
      <label className="field">Repeats <select value={kind} onChange={(e) => choose(e.target.value as Kind)}>{kinds.map((k) => <option key={k} value={k}>{text.kinds[k]}</option>)}</select></label>
      {kind === 'fields' ? <Five value={value} onChange={onChange} /> : <PresetFields kind={kind} p={preset} set={(change) => onChange(build(kind, { ...preset, ...change }))} />}
      <div className="field">
        <label htmlFor={id}>Expression</label>
        <input id={id} className="mono" value={value} spellCheck={false} autoComplete="off" required readOnly={kind !== 'text'} aria-invalid={invalid || undefined} onChange={(e) => onChange(e.target.value)} />
      </div>
    </div>
  )
}
