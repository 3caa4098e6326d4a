import type { Value } from '../api/lossless'
import { flatten, stepsOf, type StepNode } from '../layout/definition'
import './steps.css'

const lists: Record<string, string> = { on_failure: 'When it fails', finally: 'At the end' }
const most = 500

// StepList lists the steps of a definition in its order, loops with their bodies.
export function StepList({ definition }: { definition: Value }) {
  const steps = stepsOf(definition)
  const count = flatten(steps).length
  return (
    <>
      <ol className="steplist">{steps.slice(0, most).map((s, i) => (
        <Entry key={s.id} s={s} head={s.list !== 'steps' && steps[i - 1]?.list !== s.list ? lists[s.list] : undefined} />
      ))}</ol>
      {count > most ? <p className="faint">{count} steps in all</p> : null}
    </>
  )
}

function Entry({ s, head }: { s: StepNode; head?: string | undefined }) {
  return (
    <>
      {head ? <li className="steplist-head faint">{head}</li> : null}
      <li>
        <div className="steplist-row">
          <span className="steplist-name">{s.name || s.id}</span>
          <span className="tag">{s.type}</span>
          <span className="faint steplist-after">{s.dependsOn.length ? `after ${s.dependsOn.join(', ')}` : ''}</span>
        </div>
        {s.body.length ? <ol className="steplist">{s.body.slice(0, most).map((b) => <Entry key={b.id} s={b} />)}</ol> : null}
      </li>
    </>
  )
}
