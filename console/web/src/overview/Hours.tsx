import { useContext } from 'react'
import type { RunStats } from '../api/stats'
import { Clock } from '../ui/Time'
import { kinds, stack, top } from './scale'
import { text } from './strings'

const high = 150, step = 40, wide = 26, left = 56, above = 20

// Hours are the runs that ended, by hour and how: bars for the eye, the same as a table for
// screen readers. Failed ones lie on top, with a bar's edge that none of the others have.
export function Hours({ stats }: { stats: RunStats }) {
  const { utc } = useContext(Clock)
  const hour = (at: string) => new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', ...(utc ? { timeZone: 'UTC' } : {}) })
  const max = top(stats.buckets)
  const width = stats.buckets.length * step
  const some = stats.buckets.filter((b) => kinds.some((k) => b[k] > 0))
  return (
    <>
      <svg className="hours" viewBox={`0 0 ${width + left + 4} ${above + high + 36}`} aria-hidden="true" focusable="false">
        {[0, max / 2, max].map((n) => (
          <g key={n}><line x1={left} x2={width + left} y1={above + high - (n / max) * high} y2={above + high - (n / max) * high} /><text x={left - 8} y={above + 5 + high - (n / max) * high} textAnchor="end">{n}</text></g>
        ))}
        {stats.buckets.map((b, i) => (
          <g key={b.at} transform={`translate(${left + i * step + (step - wide) / 2} ${above})`}>
            <title>{text.hourLabel(hour(b.at), text.sum(b.completed, b.failed, b.cancelled))}</title>
            <rect className="hover" x={(wide - step) / 2} width={step} height={high} />
            {stack(b, max, high).map((bar) => <rect key={bar.kind} className={`bar ${bar.kind}`} y={bar.y} width={wide} height={bar.height} />)}
            {i % 4 === 0 ? <text x={wide / 2} y={high + 28} textAnchor="middle">{hour(b.at)}</text> : null}
          </g>
        ))}
      </svg>
      <ul className="legend-hours">{kinds.map((k) => <li key={k}><i className={k} />{text.ended[k]}</li>)}</ul>
      {some.length === 0 ? <p className="faint">{text.noRuns}</p> : null}
      <div className="sr"><table>
        <caption>{text.hours}</caption>
        <thead><tr><th scope="col">{text.hour}</th>{kinds.map((k) => <th key={k} scope="col">{text.ended[k]}</th>)}</tr></thead>
        <tbody>{some.map((b) => <tr key={b.at}><th scope="row">{hour(b.at)}</th>{kinds.map((k) => <td key={k}>{b[k]}</td>)}</tr>)}</tbody>
      </table></div>
    </>
  )
}
