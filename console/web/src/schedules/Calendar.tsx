import { outcomes, type Day, type Month } from '../api/schedules'
import { addMonths, monthName, weeksOf } from '../time/month'
import { Icon } from '../ui/Icon'
import { Count, wordOf } from './outcomes'

const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

interface Props { month: string; data: Month | null | undefined; today: string; day: string | undefined; go: (change: { month?: string | undefined; day?: string | undefined }) => void }

// Calendar is the ledger by days of the schedule's zone: how many due times ended how, and what
// is still to come, hollow.
export function Calendar({ month, data, today, day, go }: Props) {
  const days = new Map((data?.days ?? []).map((d) => [d.date, d]))
  return (
    <section aria-labelledby="month">
      <div className="month-head">
        <h2 id="month" aria-live="polite">{monthName(month)}</h2>
        <span className="spacer" />
        <button type="button" aria-label="Month before" onClick={() => go({ month: addMonths(month, -1), day: undefined })}>‹</button>
        <button type="button" onClick={() => go({ month: undefined, day: undefined })}>Today</button>
        <button type="button" aria-label="Month after" onClick={() => go({ month: addMonths(month, 1), day: undefined })}>›</button>
      </div>
      <table className="month">
        <thead><tr>{weekdays.map((w) => <th key={w} scope="col">{w}</th>)}</tr></thead>
        <tbody>
          {weeksOf(month).map((week, i) => (
            <tr key={i}>{week.map((date, k) => date === null ? <td key={k} /> : (
              <td key={k}>
                <button type="button" className={date === today ? 'day today' : 'day'} aria-pressed={date === day}
                  onClick={() => go({ month, day: date === day ? undefined : date })}>
                  <span className="number">{Number(date.slice(8))}</span><span className="sr"> {monthName(month)}: </span>
                  <Cell day={days.get(date)} />
                </button>
              </td>
            ))}</tr>
          ))}
        </tbody>
      </table>
      {data?.capped ? <p className="faint">The ledger is longer than what is counted here{data.counted_since ? `: what was due before ${data.counted_since.slice(0, 10)} is not` : ''}.</p> : null}
      <Legend />
    </section>
  )
}

function Cell({ day }: { day: Day | undefined }) {
  if (!day) return <span className="sr">nothing</span>
  return (
    <span className="counts">
      {outcomes.filter((o) => day.outcomes[o] > 0).map((o) => <Count key={o} outcome={o} n={day.outcomes[o]} />)}
      {day.due > 0 ? <Count outcome="due" n={day.due} /> : null}
    </span>
  )
}

const shapes = [['fired', 'check'], ['late', 'late'], ['caught_up', 'again'], ['coalesced', 'join'], ['skipped', 'slash'], ['waiting', 'clock'], ['due', 'ring']] as const

function Legend() {
  return <ul className="legend faint small" aria-label="Signs">{shapes.map(([o, shape]) => <li key={o}><Icon shape={shape} /> {wordOf(o)}</li>)}</ul>
}
