import { useState } from 'react'
import { usePreview, type Preview as Answer } from '../api/schedules'
import { known, nextChange, zoned } from '../time/zone'
import { absolute, duration } from '../time/time'
import { Problem } from '../ui/Problem'
import { text } from './strings'

// Due lists due times, with what a change of the clock does to them at its row.
export function Due({ preview }: { preview: Answer }) {
  return (
    <ol className="due">
      {preview.times.map((t) => (
        <li key={t.at}>
          <time dateTime={t.at} title={absolute(Date.parse(t.at), true)}>{zoned(t.local)}</time>
          {t.note ? <span className="tone-amber note-row">{t.note}</span> : null}
          {t.clash ? <span className="tone-amber note-row">{text.clash}</span> : null}
        </li>
      ))}
    </ol>
  )
}

// before is where a list of due times begins so that it shows the change: three due times ahead
// of it, as the present ones are apart.
function before(change: number, preview: Answer | undefined): number {
  const times = (preview?.times ?? []).map((t) => Date.parse(t.at))
  const apart = times.length > 1 ? ((times.at(-1) ?? 0) - (times[0] ?? 0)) / (times.length - 1) : 86_400_000
  return change - Math.max(60_000, 3.5 * apart)
}

interface Props { ask: { cron_expression: string; timezone: string; dst_gap: string; dst_repeat: string }; against: string; now: number }

// Preview asks the server what an expression means, at each change.
export function Preview({ ask, against, now }: Props) {
  const [from, setFrom] = useState<{ zone: string; at: number } | null>(null)
  const [none, setNone] = useState('')
  const jumped = from?.zone === ask.timezone ? from.at : null
  const preview = usePreview({ ...ask, ...(against ? { against } : {}), ...(jumped !== null ? { from: new Date(jumped).toISOString() } : {}) })
  const jump = () => {
    const change = known(ask.timezone) ? nextChange(now, ask.timezone) : null
    if (change === null) setNone(ask.timezone)
    else setFrom({ zone: ask.timezone, at: before(change, preview.data) })
  }
  const overlap = preview.data?.overlap
  return (
    <section className="preview" aria-labelledby="preview-title" aria-busy={preview.isFetching}>
      <h2 id="preview-title">Due</h2>
      {preview.error ? <Problem error={preview.error} /> : null}
      {preview.data && !preview.error ? (
        <>
          <p aria-live="polite"><strong>{preview.data.description}</strong></p>
          {preview.data.times.length ? <Due preview={preview.data} /> : <p className="faint">Nothing is due.</p>}
          {jumped !== null && !preview.data.times.some((t) => t.note) ? <p className="faint">{text.untouched}</p> : null}
          {overlap && overlap.clashes > 0 ? <p className="tone-amber">{overlap.clashes} of these come while the run before is still open, if it takes {duration(overlap.p95_seconds ?? 0)} as 95 of 100 did lately.</p> : null}
          <p>{jumped === null
            ? <button type="button" onClick={jump}>{text.change}</button>
            : <button type="button" onClick={() => setFrom(null)}>{text.now}</button>}</p>
          {none === ask.timezone ? <p className="faint" role="status">{text.noChange}</p> : null}
        </>
      ) : null}
    </section>
  )
}
