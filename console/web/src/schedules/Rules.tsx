import { useId } from 'react'
import type { Draft } from './draft'
import { catchUp, gap, overlap, repeat } from './strings'

interface Choice { value: string; word: string; help: string }

function Radios({ name, choices, value, onChange }: { name: string; choices: Choice[]; value: string; onChange: (value: string) => void }) {
  const id = useId()
  return (
    <fieldset className="radios"><legend>{name}</legend>
      {choices.map((c) => (
        <label key={c.value}>
          <input type="radio" name={id} value={c.value} checked={c.value === value} onChange={() => onChange(c.value)} aria-describedby={id + c.value} />
          <span>{c.word}<span className="faint small" id={id + c.value}>{c.help}</span></span>
        </label>
      ))}
    </fieldset>
  )
}

type Set = (change: Partial<Draft>) => void

// Rules are what becomes of due times on other than usual days, each with one sentence.
export function Rules({ draft, set }: { draft: Draft; set: Set }) {
  const number = (name: string, field: 'window' | 'max' | 'jitter', max: number) => (
    <label className="field">{name} <input type="number" min={0} max={max} value={draft[field]} onChange={(e) => set({ [field]: e.target.value })} /></label>
  )
  return (
    <>
      <div className="rules">
        <Radios name="While an earlier run is open" choices={overlap} value={draft.overlap} onChange={(v) => set({ overlap: v })} />
        <Radios name="What was missed is caught up" choices={catchUp} value={draft.catchUp} onChange={(v) => set({ catchUp: v })} />
        <Radios name="When the clock jumps forward" choices={gap} value={draft.gap} onChange={(v) => set({ gap: v })} />
        <Radios name="When the clock goes back" choices={repeat} value={draft.repeat} onChange={(v) => set({ repeat: v })} />
      </div>
      <p className="faint small">The rules for clocks concern expressions that name an hour. Others, such as every 15 minutes, follow the time that passes.</p>
      <div className="inline">
        {draft.catchUp !== 'none' ? number('Catch up, seconds back', 'window', 31 * 86_400) : null}
        {draft.catchUp === 'all' ? number('Catch up, at most', 'max', 1_000) : null}
        {number('Delay by up to, seconds', 'jitter', 86_400)}
        <label className="field">From <input type="datetime-local" value={draft.starts} onChange={(e) => set({ starts: e.target.value })} /></label>
        <label className="field">Until <input type="datetime-local" value={draft.ends} onChange={(e) => set({ ends: e.target.value })} /></label>
      </div>
    </>
  )
}
