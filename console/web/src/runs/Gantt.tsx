import { useMemo, useRef } from 'react'
import type { Value } from '../api/lossless'
import { stepsOf } from '../layout/definition'
import { stateOf } from '../status/states'
import { duration } from '../time/time'
import { Empty } from '../ui/Problem'
import { useWindow } from '../ui/window'
import { bars, ticks } from './gantt'
import { stateOfStep, type RunDetail, type Step } from './live'
import { strings } from './strings'

const height = 28 // of a row, in px

// Gantt draws when each step ran, beside the others. The queue before the first is hollow, waits
// are hatched, and the critical path is outlined.
export function Gantt({ run, steps, definition, now, selected, onSelect }: { run: RunDetail; steps: Step[]; definition: Value | undefined; now: number; selected: string | undefined; onSelect: (id: string) => void }) {
  const box = useRef<HTMLDivElement>(null)
  const nodes = useMemo(() => (definition === undefined ? [] : stepsOf(definition)), [definition])
  const list = useMemo(() => bars(steps, nodes, now), [steps, nodes, now])
  const [from, to] = useWindow(box, list.length, height, height)
  if (list.length === 0) return <Empty title={strings.noSteps} />
  const begin = Date.parse(run.created_at)
  const end = list.reduce((n, b) => Math.max(n, b.to), run.completed_at ? Date.parse(run.completed_at) : begin)
  const span = Math.max(1, end - begin)
  const place = (a: number, b: number) => ({ left: `${(100 * (a - begin)) / span}%`, width: `max(3px, ${(100 * (b - a)) / span}%)` })
  const first = list[0]?.from ?? begin
  return (
    <div className="gantt" ref={box} tabIndex={0} role="region" aria-label="When each step ran">
      <div className="gantt-head" aria-hidden="true"><span /><div className="gantt-axis">{ticks(span).map((t) => <span key={t} style={{ left: `${(100 * t) / span}%` }}>{duration(t / 1000)}</span>)}</div></div>
      <ol style={{ height: list.length * height }}>
        {list.slice(from, to).map((b, i) => {
          const s = b.step, look = stateOf(stateOfStep(s))
          const text = `${s.name}, ${look.word}, ${duration((b.to - b.from) / 1000)}`
          return (
            <li key={s.step_id} style={{ top: (from + i) * height }} data-row>
              <button type="button" className="gantt-row" aria-pressed={s.step_id === selected} onClick={() => onSelect(s.step_id)} title={text}>
                <span className="gantt-name">{s.name}<span className="sr">, {look.word}, {duration((b.to - b.from) / 1000)}{b.critical ? ', on the critical path' : ''}</span></span>
                <span className="gantt-track" aria-hidden="true">
                  {from + i === 0 && first - begin > span / 200 ? <i className="queue" style={place(begin, first)} /> : null}
                  <i className={`bar tone-${look.tone}${s.type === 'wait' ? ' waits' : ''}${b.critical ? ' critical' : ''}`} style={place(b.from, b.to)} />
                </span>
              </button>
            </li>
          )
        })}
      </ol>
    </div>
  )
}
