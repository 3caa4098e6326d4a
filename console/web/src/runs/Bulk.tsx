import { useQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { call } from '../api/client'
import { useWrite } from '../api/write'
import { Dialog } from '../ui/Dialog'
import { Loading, Problem } from '../ui/Problem'
import { strings } from './strings'

interface Preview { matched: number; allowed: number; skipped: { reason: string; count: number }[]; sample: { id: string; workflow_slug: string | null; status: string }[] }
interface Job { id: string; status: string; progress: { done: number; failed: number; skipped: number; total: number } }
export type Selection = { run_ids: string[] } | { filter: Record<string, string | string[]> }

const path = '/api/workflows/runs/bulk'
const words = strings.bulk

// Progress follows a job until it has ended.
function Progress({ id, onClose }: { id: string; onClose: () => void }) {
  const read = useQuery<Job>({
    queryKey: ['job', id], refetchInterval: (q) => (q.state.data && ['completed', 'stopped', 'failed'].includes(q.state.data.status) ? false : 1_000),
    queryFn: async ({ signal }) => (await call<{ job: Job }>(`/api/workflows/jobs/${encodeURIComponent(id)}`, { signal })).data.job,
  })
  const stop = useWrite(['job'])
  if (read.error) return <Problem error={read.error} />
  const job = read.data
  if (!job) return <Loading />
  const p = job.progress, over = p.done + p.failed + p.skipped
  const ended = ['completed', 'stopped', 'failed'].includes(job.status)
  return (
    <>
      <progress max={Math.max(1, p.total)} value={over} aria-label={words.progress(over, p.total)} />
      <p role="status">{ended ? `${words.done}: ` : ''}{words.progress(over, p.total)}{p.failed ? <span className="tone-red">, {words.failed(p.failed)}</span> : null}</p>
      <div className="foot">{ended ? null : <button type="button" onClick={() => stop.mutate({ path: `/api/workflows/jobs/${encodeURIComponent(id)}/stop`, body: {} })}>{words.stop}</button>}<button type="button" className="primary" onClick={onClose}>{strings.back}</button></div>
    </>
  )
}

// Bulk changes many runs: what it is about is counted first, and the job is refused if that has
// changed by more than a tenth.
export function Bulk({ action, selection, onClose }: { action: string; selection: Selection; onClose: () => void }) {
  const [reason, setReason] = useState('')
  const [job, setJob] = useState<string | null>(null)
  const name = words.actions[action] ?? action
  const preview = useQuery({
    queryKey: ['bulk', action, selection], retry: false,
    queryFn: async ({ signal }) => (await call<Preview>(path, { method: 'POST', body: { action, ...selection, dry_run: true }, signal })).data,
  })
  const write = useWrite<{ job_id: string }>(['runs'], (answer) => setJob(answer.data.job_id))
  const p = preview.data
  const submit = (e: FormEvent) => {
    e.preventDefault()
    if (p) write.mutate({ path, body: { action, ...selection, expected: p.matched, ...(reason.trim() ? { reason: reason.trim() } : {}) } })
  }
  return (
    <Dialog title={words.title(name)} onClose={onClose}>
      {job ? <Progress id={job} onClose={onClose} /> : (
        <form onSubmit={submit}>
          {preview.error ? <Problem error={preview.error} retry={() => void preview.refetch()} /> : null}
          {p ? (
            <>
              <p><b>{words.about(p.allowed, p.matched)}</b></p>
              {p.skipped.map((s) => <p key={s.reason} className="faint">{words.skipped(s.count, s.reason)}</p>)}
              {p.sample.length ? <><h3>{words.sample}</h3><ul className="judged" tabIndex={0} aria-label={words.sample}>{p.sample.map((s) => <li key={s.id}><code>{s.id}</code> <span className="faint">{s.workflow_slug} · {s.status}</span></li>)}</ul></> : null}
            </>
          ) : preview.error ? null : <Loading />}
          <div className="field"><label htmlFor="bulk-reason">{strings.reason}</label><input id="bulk-reason" value={reason} maxLength={1000} onChange={(e) => setReason(e.target.value)} /></div>
          {write.error ? <Problem error={write.error} /> : null}
          <div className="foot"><button type="button" onClick={onClose}>{strings.back}</button><button type="submit" className={action === 'terminate' || action === 'delete' ? 'danger' : 'primary'} disabled={!p || p.allowed === 0 || write.isPending}>{words.start(name, p?.allowed ?? 0)}</button></div>
        </form>
      )}
    </Dialog>
  )
}
