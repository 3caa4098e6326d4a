import { Link } from 'wouter'
import type { Preview } from '../api/versions'
import { inWords } from '../diff/changes'
import { to } from '../routes'
import { Time, useNow } from '../ui/Time'
import { strings } from './strings'

// needsTick reports whether something would be refused afterwards that goes through now.
export function needsTick(p: Preview): boolean {
  return p.breaking.length + p.secrets_missing.length + p.agents_missing.length > 0 || p.schedules.some((s) => !s.input_fits)
}

const number = (n: number, one: string, many = one + 's') => `${n} ${n === 1 ? one : many}`

function Bad({ children }: { children: React.ReactNode }) {
  return <li className="bad"><span aria-hidden="true">✕ </span>{children}</li>
}

// Impact is what the change means for what runs, waits, is scheduled or calls.
export function Impact({ slug, preview: p }: { slug: string; preview: Preview }) {
  const now = useNow()
  const fits = p.schedules.filter((s) => s.input_fits).length
  return (
    <section className="impact" aria-label={strings.impact}>
      <h3>{strings.impact}</h3>
      <ul>
        {p.open_runs.map((r) => <li key={r.version}><Link href={to('/runs', { workflow: slug, version: String(r.version), status: 'queued,running,waiting,paused' })}>{number(r.count, 'open run')}</Link> {r.count === 1 ? 'stays' : 'stay'} on v{r.version}</li>)}
        {p.open_runs.length === 0 ? <li className="faint">No run is open</li> : null}
        {p.open_approvals > 0 ? <li>{number(p.open_approvals, 'open approval')} {p.open_approvals === 1 ? 'stays' : 'stay'} as they are</li> : null}
        {fits > 0 ? <li>{number(fits, 'schedule')} will run it, and {fits === 1 ? 'its' : 'their'} input fits</li> : null}
        {p.schedules.filter((s) => !s.input_fits).map((s) => <Bad key={s.schedule_id}><Link href={`/schedules/${s.schedule_id}`}>A schedule’s input no longer fits</Link>: {s.problem}</Bad>)}
        {p.callers.map((c) => <li key={c.trigger}>Started by {c.trigger} <Time at={c.last_used} now={now} /></li>)}
        {p.resumable.length > 0 ? <li>{number(p.resumable.length, 'run')} that did not complete can be resumed on it</li> : null}
        {p.breaking.map((b) => <Bad key={b.pointer + b.message}>Breaking: {b.message} <code>{inWords(b.pointer)}</code></Bad>)}
        {p.secrets_missing.map((s) => <Bad key={s}>The secret <code>{s}</code> does not exist</Bad>)}
        {p.agents_missing.map((s) => <Bad key={s}>The agent <code>{s}</code> does not exist</Bad>)}
      </ul>
    </section>
  )
}
