import { useQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { call } from '../api/client'
import type { Value } from '../api/lossless'
import { useWrite } from '../api/write'
import { stepsOf } from '../layout/definition'
import { Dialog } from '../ui/Dialog'
import { Loading, Problem } from '../ui/Problem'
import { runAPI, type RunDetail } from './live'
import { strings } from './strings'

interface Judged { step_id: string; reason: string }
interface Preview { reused: Judged[]; run_again: Judged[] }

function Part({ title, steps }: { title: string; steps: Judged[] }) {
  return (
    <section>
      <h3>{title} <span className="faint">{steps.length}</span></h3>
      {steps.length === 0 ? <p className="faint">{strings.nothing}</p> : <ul className="judged" tabIndex={0} aria-label={title}>{steps.map((s) => <li key={s.step_id}><code>{s.step_id}</code> <span className="faint">{s.reason}</span></li>)}</ul>}
    </section>
  )
}

interface Props { run: RunDetail; definition: Value | undefined; active: number | undefined; latest: number | undefined; onClose: () => void; onDone: (run: string | undefined) => void }

// ResumeDialog shows what a resume keeps and what it runs again, and why, before it happens.
export function ResumeDialog({ run, definition, active, latest, onClose, onDone }: Props) {
  const [from, setFrom] = useState('')
  const [version, setVersion] = useState('')
  const [reason, setReason] = useState('')
  const how = { ...(from ? { from_step: from } : {}), ...(version ? { version } : {}) }
  const preview = useQuery({
    queryKey: ['resume', run.id, run.seq, how], retry: false,
    queryFn: async ({ signal }) => (await call<Preview>(`${runAPI(run.id)}/resume?dry_run=true`, { method: 'POST', body: how, signal })).data,
  })
  const write = useWrite<{ run_id?: string }>(['runs'], (answer) => onDone(answer.data.run_id))
  const steps = definition === undefined ? [] : stepsOf(definition).filter((s) => s.list === 'steps')
  const versions: [number, string][] = []
  if (active !== undefined && active !== run.version) versions.push([active, strings.otherVersion(active)])
  if (latest !== undefined && latest !== run.version && latest !== active) versions.push([latest, strings.latestVersion(latest)])
  const submit = (e: FormEvent) => {
    e.preventDefault()
    write.mutate({ path: `${runAPI(run.id)}/resume`, body: { ...how, ...(reason.trim() ? { reason: reason.trim() } : {}) } })
  }
  return (
    <Dialog title={strings.resumeTitle} onClose={onClose} wide>
      <form onSubmit={submit}>
        <div className="pair">
          <div className="field"><label htmlFor="from">{strings.resumeFrom}</label><select id="from" value={from} onChange={(e) => setFrom(e.target.value)}><option value="">{strings.whereStopped}</option>{steps.map((s) => <option key={s.id} value={s.id}>{s.name || s.id}</option>)}</select></div>
          <div className="field"><label htmlFor="version">{strings.onVersion}</label><select id="version" value={version} onChange={(e) => setVersion(e.target.value)}><option value="">{strings.sameVersion(run.version)}</option>{versions.map(([v, name]) => <option key={v} value={String(v)}>{name}</option>)}</select></div>
        </div>
        {preview.error ? <Problem error={preview.error} /> : null}
        {preview.isLoading ? <Loading /> : null}
        {preview.data ? <div className="pair"><Part title={strings.reused} steps={preview.data.reused} /><Part title={strings.runAgain} steps={preview.data.run_again} /></div> : null}
        <div className="field"><label htmlFor="reason">{strings.reason}</label><input id="reason" value={reason} maxLength={1000} onChange={(e) => setReason(e.target.value)} /></div>
        {write.error ? <Problem error={write.error} /> : null}
        <div className="foot"><button type="button" onClick={onClose}>{strings.back}</button><button type="submit" className="primary" disabled={write.isPending || !preview.data}>{strings.resumeButton}</button></div>
      </form>
    </Dialog>
  )
}
