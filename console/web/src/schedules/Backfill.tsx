import { useState } from 'react'
import { Link } from 'wouter'
import { one, useBackfill, type BackfillPreview, type Schedule } from '../api/schedules'
import { useWrite } from '../api/write'
import { runPath } from '../routes'
import { strings } from '../strings'
import { instant, local, zoned } from '../time/zone'
import { Act } from '../ui/Act'
import { StateChip } from '../ui/Chip'
import { Dialog } from '../ui/Dialog'
import { Loading, Problem } from '../ui/Problem'
import { OutcomeChip } from './outcomes'
import { text } from './strings'

const times = (n: number) => `${n} due ${n === 1 ? 'time' : 'times'}`

function What({ p }: { p: BackfillPreview }) {
  if (p.slots === 0) return <p className="faint">Nothing was due between these times.</p>
  return (
    <>
      <p><strong>{times(p.slots)} will run{p.ran > 0 ? `, ${p.ran} of which ran already and will run again` : ''}.</strong></p>
      <div className="scroll short" tabIndex={0} role="region" aria-label="Due times that will run, in order">
        <table>
          <thead><tr><th scope="col">Due</th><th scope="col">In the ledger</th><th scope="col">Run</th></tr></thead>
          <tbody>{p.due_times.map((d) => (
            <tr key={d.at}>
              <th scope="row">{zoned(d.local)}</th>
              <td>{d.outcome ? <OutcomeChip outcome={d.outcome} /> : <span className="faint">Nothing</span>}</td>
              <td>{d.run_id ? <Link href={runPath(d.run_id)}>{d.run_status ? <StateChip state={d.run_status} /> : 'Ran'}</Link> : <span className="faint">Did not run</span>}</td>
            </tr>
          ))}</tbody>
        </table>
      </div>
    </>
  )
}

// Backfill shows what it would run, and what of that ran already, before anything is changed.
export function Backfill({ s, now, onClose, done }: { s: Schedule; now: number; onClose: () => void; done: (from: string) => void }) {
  const [from, setFrom] = useState(() => local(now - 86_400_000, s.timezone).slice(0, 11) + '00:00')
  const [to, setTo] = useState(() => local(now, s.timezone))
  const [overlap, setOverlap] = useState('queue')
  const [reason, setReason] = useState('')
  const body = from && to ? { from: new Date(instant(from, s.timezone)).toISOString(), to: new Date(instant(to, s.timezone)).toISOString(), overlap_policy: overlap, limit: 1000 } : null
  const preview = useBackfill(s.id, body)
  const write = useWrite(['slots', 'calendar', 'schedule', 'schedules', 'runs', 'backfill'], () => done(from.slice(0, 10)))
  const n = preview.data?.slots ?? 0
  const settled = preview.data && !preview.error && !preview.isPlaceholderData && !preview.isFetching
  return (
    <Dialog title="Backfill" wide onClose={onClose}>
      <p className="faint">{text.backfillHelp} {text.before(s.timezone)}</p>
      <div className="inline">
        <label className="field">After <input type="datetime-local" required value={from} onChange={(e) => setFrom(e.target.value)} /></label>
        <label className="field">Up to <input type="datetime-local" required value={to} onChange={(e) => setTo(e.target.value)} /></label>
        <label className="field">Order <select value={overlap} onChange={(e) => setOverlap(e.target.value)}><option value="queue">One after another</option><option value="allow">All at once</option></select></label>
      </div>
      <div aria-live="polite">
        {preview.error ? <Problem error={preview.error} /> : preview.data ? <What p={preview.data} /> : preview.isLoading ? <Loading /> : null}
      </div>
      <label className="field">Reason <input value={reason} maxLength={500} onChange={(e) => setReason(e.target.value)} /></label>
      {write.error ? <Problem error={write.error} /> : null}
      <div className="foot">
        <button type="button" onClick={onClose}>{strings.cancel}</button>
        <Act can={s.can} needs="operate" look="primary" busy={write.isPending || !settled} not={settled && n === 0 ? 'There is nothing to run.' : undefined}
          onClick={() => write.mutate({ path: `${one(s.id)}/backfill`, body: { ...body, ...(reason ? { reason } : {}) } })}>
          {n > 0 ? `Run ${times(n)}` : 'Run'}
        </Act>
      </div>
    </Dialog>
  )
}
