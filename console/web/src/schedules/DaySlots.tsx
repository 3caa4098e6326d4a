import { Link } from 'wouter'
import { useDue, useSlots, type Slot } from '../api/schedules'
import { runPath } from '../routes'
import { addDays, dayName } from '../time/month'
import { local, offset, startOf } from '../time/zone'
import { StateChip } from '../ui/Chip'
import { Loading, Problem } from '../ui/Problem'
import { Duration } from '../ui/Time'
import { OutcomeChip } from './outcomes'
import { reasonWords } from './strings'

// clock writes a time of day with the zone's offset, so that times that come twice differ.
function clock(at: string, zone: string): string {
  const ms = Date.parse(at)
  const ahead = Math.round(offset(ms, zone) / 60_000)
  const two = (n: number) => String(n).padStart(2, '0')
  return `${local(ms, zone).slice(11)} ${ahead < 0 ? '-' : '+'}${two(Math.floor(Math.abs(ahead) / 60))}:${two(Math.abs(ahead) % 60)}`
}

const origin = (text: string) => (text.startsWith('trigger:') ? 'Triggered' : text.startsWith('backfill:') ? 'Backfill' : '')

function Line({ s, zone }: { s: Slot; zone: string }) {
  return (
    <tr>
      <th scope="row">{clock(s.due_at, zone)}{s.count > 1 ? <span className="faint slug">{s.count} due times, until {local(Date.parse(s.until), zone).replace('T', ' ')}</span> : null}</th>
      <td><OutcomeChip outcome={s.outcome} />{origin(s.origin) ? <span className="faint slug">{origin(s.origin)}</span> : null}</td>
      <td className="reason">{s.reason ? reasonWords(s.reason) : null}</td>
      <td>{s.run_id ? <Link href={runPath(s.run_id)}>{s.run_status ? <StateChip state={s.run_status} /> : 'Deleted run'}</Link> : <span className="faint">No run</span>}</td>
      <td className="number"><Duration seconds={s.duration_seconds} /></td>
    </tr>
  )
}

// DaySlots are the due times of one day of the schedule's zone: what became of each and why,
// and those to come.
export function DaySlots({ id, date, zone, active, now }: { id: string; date: string; zone: string; active: boolean; now: number }) {
  const from = startOf(date, zone)
  const until = startOf(addDays(date, 1), zone)
  const iso = (ms: number) => new Date(ms).toISOString()
  const slots = useSlots(id, iso(from), iso(until))
  // By the minute, so that the question stays the same while the clock ticks.
  const since = Math.max(from - 1, Math.floor(now / 60_000) * 60_000)
  const due = useDue(id, { from: iso(since), to: iso(until - 1), count: '100' }, active && until > now)
  const lines = slots.data?.pages.flatMap((p) => p.slots) ?? []
  const times = due.data?.times ?? []
  const nothing = slots.data && lines.length === 0 && times.length === 0
  return (
    <section aria-labelledby="day-title">
      <h2 id="day-title">{dayName(date)}</h2>
      {slots.error ? <Problem error={slots.error} retry={() => void slots.refetch()} /> : null}
      {slots.isLoading ? <Loading /> : null}
      {nothing ? <p className="faint">Nothing was or is due on this day.</p> : null}
      {lines.length > 0 ? (
        <div className="scroll" tabIndex={0} role="region" aria-label="Due times of the day">
          <table>
            <thead><tr><th scope="col">Due</th><th scope="col">Outcome</th><th scope="col">Reason</th><th scope="col">Run</th><th scope="col" className="number">Duration</th></tr></thead>
            <tbody>{lines.map((s, i) => <Line key={i} s={s} zone={zone} />)}</tbody>
          </table>
        </div>
      ) : null}
      {slots.hasNextPage ? <p><button type="button" onClick={() => void slots.fetchNextPage()}>Earlier ones</button></p> : null}
      {times.length > 0 ? <>
        <h3>To come</h3>
        <ul className="due">{times.map((t) => <li key={t.at}><span className="row"><OutcomeChip outcome="due" />{clock(t.at, zone)}</span>{t.note ? <span className="tone-amber note-row">{t.note}</span> : null}</li>)}</ul>
      </> : null}
    </section>
  )
}
