import { useMemo, useRef } from 'react'
import { StateChip } from '../ui/Chip'
import { Empty } from '../ui/Problem'
import { Duration, Time } from '../ui/Time'
import { useWindow } from '../ui/window'
import { grouped, type Row } from './group'
import { stateOfStep, type Step } from './live'
import { strings } from './strings'

const height = 37 // of a row, in px: style.css has the same

function Note({ step, now }: { step: Step; now: number }) {
  if (step.error) return <span className="tone-red">{step.error.message}</span>
  if (step.next_attempt_at) return <>{strings.retryAt} <Time at={step.next_attempt_at} now={now} /></>
  if (step.wait) return step.wait.until ? <>{strings.waitsUntil} <Time at={step.wait.until} now={now} /></> : <>{strings.waitsFor} {step.wait.prompt || step.wait.signal || step.wait.kind}</>
  const it = step.iterations
  if (it) return <>{it.completed + it.failed} of {it.total ?? '?'}{it.failed ? <span className="tone-red">, {it.failed} failed</span> : null}</>
  return null
}

function Line({ row, columns, selected, now, onSelect }: { row: Row; columns: number; selected: boolean; now: number; onSelect: (id: string) => void }) {
  if (row.kind === 'head') return <tr className="group"><th colSpan={columns} scope="colgroup">{strings.groups[row.group]} <span className="faint">{row.count}</span></th></tr>
  const s = row.step
  return (
    <tr aria-selected={selected} onClick={() => onSelect(s.step_id)}>
      <td><StateChip state={stateOfStep(s)} /></td>
      <th scope="row"><button type="button" className="link" onClick={(e) => { e.stopPropagation(); onSelect(s.step_id) }}>{s.name}</button></th>
      <td className="faint">{s.type}</td>
      <td className="number">{s.attempt > 0 ? `${s.attempt} of ${s.max_attempts}` : ''}</td>
      <td className="number">{s.duration_seconds === null ? '' : <Duration seconds={s.duration_seconds} />}</td>
      <td className="one-line"><Note step={s} now={now} /></td>
    </tr>
  )
}

// StepList is the steps by group, failed ones first. Of thousands only those in sight are in the
// document.
export function StepList({ steps, now, selected, onSelect, tall }: { steps: Step[]; now: number; selected: string | undefined; onSelect: (id: string) => void; tall: boolean }) {
  const box = useRef<HTMLDivElement>(null)
  const rows = useMemo(() => grouped(steps), [steps])
  const [from, to] = useWindow(box, rows.length, height, height)
  const columns = selected === undefined ? 6 : 4 // beside a step's panel type and note are left out: style.css
  if (steps.length === 0) return <Empty title={strings.noMatch} />
  return (
    <div className={tall ? 'scroll steps tall' : 'scroll steps'} ref={box} tabIndex={0} role="region" aria-label="Steps">
      <table aria-rowcount={rows.length}>
        <colgroup><col className="c-state" /><col className="c-name" /><col className="c-type" /><col className="c-attempt" /><col className="c-time" /><col /></colgroup>
        <thead><tr><th scope="col">State</th><th scope="col">Step</th><th scope="col">Type</th><th scope="col" className="number">Attempt</th><th scope="col" className="number">Duration</th><th scope="col">Note</th></tr></thead>
        <tbody>
          {from > 0 ? <tr className="gap" aria-hidden="true" style={{ height: from * height }}><td /></tr> : null}
          {rows.slice(from, to).map((r) => <Line key={r.kind === 'head' ? '@' + r.group : r.step.step_id} row={r} columns={columns} selected={r.kind === 'step' && r.step.step_id === selected} now={now} onSelect={onSelect} />)}
          {to < rows.length ? <tr className="gap" aria-hidden="true" style={{ height: (rows.length - to) * height }}><td /></tr> : null}
        </tbody>
      </table>
    </div>
  )
}
