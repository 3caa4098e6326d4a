import { Link } from 'wouter'
import { useWorkflows } from '../api/queries'
import { useSchedules } from '../api/schedules'
import { useRunStats } from '../api/stats'
import { Title } from '../frame/Frame'
import { runPath, workflowPath } from '../routes'
import { StateChip } from '../ui/Chip'
import { Empty, Loading, Problem } from '../ui/Problem'
import { Time, useNow } from '../ui/Time'
import { Hours } from './Hours'
import { text } from './strings'
import { Tiles } from './Tiles'
import './style.css'

const few = 6 // rows of a list; its title leads to all

function Failing({ now }: { now: number }) {
  const list = useWorkflows({ health: 'failing' })
  if (list.error) return <Problem error={list.error} retry={() => void list.refetch()} />
  return (
    <ul className="plain-rows">
      {list.data?.workflows.length === 0 ? <li className="faint">{text.noneFailing}</li> : null}
      {list.data?.workflows.slice(0, few).map((w) => (
        <li key={w.id}><span><Link href={workflowPath(w.slug)}>{w.name}</Link><span className="faint small">{text.failed24(w.failed_24h ?? 0)}</span></span>
          {w.last_run ? <Link href={runPath(w.last_run.id)} className="end"><StateChip state={w.last_run.status} /> <Time at={w.last_run.ended_at} now={now} /></Link> : null}</li>
      ))}
    </ul>
  )
}

function Due({ now }: { now: number }) {
  const list = useSchedules({ status: 'active', order: 'next' }, String(few))
  if (list.error) return <Problem error={list.error} retry={() => void list.refetch()} />
  return (
    <ul className="plain-rows">
      {list.data?.schedules.length === 0 ? <li className="faint">{text.noneDue}</li> : null}
      {list.data?.schedules.map((s) => (
        <li key={s.id}><span><Link href={`/schedules/${s.id}`}>{s.workflow.name}</Link><span className="faint small">{s.description}</span></span><span className="end"><Time at={s.next_run_at} now={now} /></span></li>
      ))}
    </ul>
  )
}

function Changed({ now }: { now: number }) {
  const list = useWorkflows({ order: '-updated' })
  if (list.error) return <Problem error={list.error} retry={() => void list.refetch()} />
  return (
    <ul className="plain-rows">
      {list.data?.workflows.slice(0, few).map((w) => (
        <li key={w.id}><span><Link href={workflowPath(w.slug)}>{w.name}</Link><span className="faint small">{text.version(w.version)}</span></span><span className="end"><Time at={w.updated_at} now={now} /></span></li>
      ))}
    </ul>
  )
}

// Overview says whether anything is wrong now, and what comes next.
export function Overview() {
  const stats = useRunStats()
  const all = useWorkflows({ order: '-updated' })
  const now = useNow()
  if (all.data?.workflows.length === 0 && !all.data.next_cursor) {
    return (
      <>
        <Title text={text.title} />
        <Empty title={text.empty}>
          <p>{text.emptyHelp}</p>
          <ol className="first-steps">{text.steps.map((s) => <li key={s}>{s}</li>)}</ol>
          <p><Link href="/templates" className="button primary">{text.templates}</Link> <Link href="/workflows/new" className="button">{text.own}</Link></p>
        </Empty>
      </>
    )
  }
  return (
    <>
      <Title text={text.title}>{stats.data ? <span className="faint">{text.open(stats.data.open.running, stats.data.open.waiting)}</span> : null}</Title>
      {all.error ? <Problem error={all.error} retry={() => void all.refetch()} /> : null}
      <Tiles stats={stats.data} />
      <section aria-labelledby="hours-title">
        <h2 id="hours-title">{text.hours}</h2>
        {stats.error ? <Problem error={stats.error} retry={() => void stats.refetch()} /> : stats.data ? <Hours stats={stats.data} /> : <Loading />}
      </section>
      <div className="three">
        <section aria-labelledby="failing-title"><h2 id="failing-title">{text.failingNow}</h2><Failing now={now} /></section>
        <section aria-labelledby="due-title"><h2 id="due-title">{text.due}</h2><Due now={now} /></section>
        <section aria-labelledby="changed-title"><h2 id="changed-title">{text.changed}</h2><Changed now={now} /></section>
      </div>
    </>
  )
}
