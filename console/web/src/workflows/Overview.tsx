import { Link } from 'wouter'
import type { RunSummary } from '../api/queries'
import { useLastRuns, useSchedulesOf, useUsageOf, type WorkflowWhole } from '../api/workflow'
import { runPath, to } from '../routes'
import { stateOf } from '../status/states'
import { StateChip } from '../ui/Chip'
import { Problem } from '../ui/Problem'
import { DefinitionGraph } from '../ui/DefinitionGraph'
import { Duration, Time, useNow } from '../ui/Time'
import { strings } from './strings'

const dollars = (micro: number) => new Intl.NumberFormat('en', { style: 'currency', currency: 'USD', maximumFractionDigits: micro < 1_000_000 ? 4 : 2 }).format(micro / 1_000_000)

// Bars are the last runs, the newest at the right, as high as they took long. Failed ones have
// a cut corner, so that colour is not all that tells them.
function Bars({ runs }: { runs: RunSummary[] }) {
  const longest = Math.max(...runs.map((r) => r.duration_seconds ?? 0), 0.001)
  return (
    <div className="runbars" role="img" aria-label={strings.barsLabel(runs.length, runs.filter((r) => r.status === 'failed').length)}>
      {[...runs].reverse().map((r) => (
        <i key={r.id} className={`tone-${stateOf(r.status).tone}${r.status === 'failed' ? ' cut' : ''}`} style={{ height: `${6 + Math.round((26 * (r.duration_seconds ?? 0)) / longest)}px` }} />
      ))}
    </div>
  )
}

function LastRuns({ w, now }: { w: WorkflowWhole; now: number }) {
  const runs = useLastRuns(w.slug, 20)
  if (runs.error) return <Problem error={runs.error} retry={() => void runs.refetch()} />
  const list = runs.data?.runs ?? []
  if (runs.data && list.length === 0) return <p className="faint">{strings.noneYet}</p>
  return (
    <>
      {list.length > 1 ? <Bars runs={list} /> : null}
      <ul className="plainlist wf-rows">
        {list.slice(0, 4).map((r) => (
          <li key={r.id}><Link href={runPath(r.id)} className="wf-plain wf-row">
            <StateChip state={r.status} /><span className="spacer" /><span className="faint"><Time at={r.created_at} now={now} /></span><span className="wf-row-end"><Duration seconds={r.duration_seconds} /></span>
          </Link>{r.error ? <p className="tone-red wf-row-note">{r.error.message}</p> : null}</li>
        ))}
      </ul>
      <p className="line"><Link href={to('/runs', { workflow: w.slug })}>{strings.allRuns}</Link></p>
    </>
  )
}

function NextDue({ w, now }: { w: WorkflowWhole; now: number }) {
  const schedules = useSchedulesOf(w.slug)
  if (schedules.error) return <Problem error={schedules.error} retry={() => void schedules.refetch()} />
  const list = schedules.data?.schedules ?? []
  return (
    <>
      {schedules.data && list.length === 0 ? <p className="faint">{strings.never}</p> : null}
      <ul className="plainlist">
        {list.map((s) => (
          <li key={s.id}><Link href={`/schedules/${s.id}`}>{s.description}</Link>{' '}
            {s.status === 'active' ? <Time at={s.next_run_at} now={now} /> : <span className="faint">{s.status}</span>}</li>
        ))}
      </ul>
      {w.can.includes('edit') ? <p className="line"><Link href={to('/schedules/new', { workflow: w.slug })}>{strings.addSchedule}</Link></p> : null}
    </>
  )
}

function UsageLine({ w }: { w: WorkflowWhole }) {
  const usage = useUsageOf(w.slug)
  if (!usage.data) return null
  return (
    <>
      <p className="line">{strings.usageLine(usage.data.runs)}</p>
      {usage.data.tokens > 0 ? <p className="line">{strings.tokens(usage.data.tokens, dollars(usage.data.cost_micro_usd))}</p> : null}
    </>
  )
}

// Overview is what a workflow does and how it goes.
export function Overview({ w }: { w: WorkflowWhole }) {
  const now = useNow()
  return (
    <div className="wf-sides">
      <section aria-labelledby="steps-title" className="wide-side">
        <h2 id="steps-title">{strings.steps}</h2>
        <DefinitionGraph definition={w.definition} label={strings.steps} />
      </section>
      <div className="narrow-side">
        <section aria-labelledby="runs-title"><h2 id="runs-title">{strings.lastRuns}</h2><LastRuns w={w} now={now} /></section>
        <section aria-labelledby="due-title"><h2 id="due-title">{strings.nextDue}</h2><NextDue w={w} now={now} /></section>
        <section aria-labelledby="usage-title"><h2 id="usage-title">{strings.usage}</h2><UsageLine w={w} /></section>
      </div>
    </div>
  )
}
