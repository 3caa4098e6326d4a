import { useState } from 'react'
import { useLocation } from 'wouter'
import { one, type Schedule } from '../api/schedules'
import { useWrite } from '../api/write'
import { runPath, to } from '../routes'
import { strings } from '../strings'
import { Act } from '../ui/Act'
import { Dialog } from '../ui/Dialog'
import { Problem } from '../ui/Problem'
import { Backfill } from './Backfill'
import { text } from './strings'

type Kind = 'pause' | 'resume' | 'trigger' | 'delete'

const words: Record<Kind, { title: string; verb: string; help: string }> = {
  pause: { title: 'Pause this schedule?', verb: 'Pause', help: text.pauseHelp },
  resume: { title: 'Resume this schedule?', verb: 'Resume', help: 'Due times begin again with the next one.' },
  trigger: { title: 'Run it now?', verb: 'Run now', help: 'Starts one run now, whatever the rule for overlaps says. The schedule stays as it is.' },
  delete: { title: 'Delete this schedule?', verb: 'Delete', help: text.deleteHelp },
}

// requestOf is what a change sends.
function requestOf(kind: Kind, id: string, reason: string, etag: string) {
  const why = reason ? { reason } : {}
  switch (kind) {
    case 'trigger': return { path: `${one(id)}/trigger`, body: why }
    case 'delete': return { path: one(id), method: 'DELETE', body: reason ? why : undefined, etag }
    default: return { path: one(id), method: 'PATCH', body: { status: kind === 'pause' ? 'paused' : 'active', ...why }, etag }
  }
}

function Confirm({ kind, s, etag, onClose }: { kind: Kind; s: Schedule; etag: string; onClose: () => void }) {
  const [, navigate] = useLocation()
  const [reason, setReason] = useState('')
  const write = useWrite<{ run_id?: string } | undefined>(['schedules', 'schedule', 'slots', 'calendar', 'due', 'runs'], (a) => {
    onClose()
    if (kind === 'delete') navigate('/schedules', { replace: true })
    if (kind === 'trigger' && a.data?.run_id) navigate(runPath(a.data.run_id))
  })
  const w = words[kind]
  const send = () => write.mutate(requestOf(kind, s.id, reason.trim(), etag))
  return (
    <Dialog title={w.title} onClose={onClose}>
      <form onSubmit={(e) => { e.preventDefault(); if (!write.isPending) send() }}>
        <p className="faint">{w.help}</p>
        <label className="field">Reason <input value={reason} maxLength={500} autoFocus placeholder="For those who come after you" onChange={(e) => setReason(e.target.value)} /></label>
        {write.error ? <Problem error={write.error} /> : null}
        <div className="foot">
          <button type="button" onClick={onClose}>{strings.cancel}</button>
          <button type="submit" className={kind === 'delete' ? 'danger' : 'primary'} disabled={write.isPending}>{w.verb}</button>
        </div>
      </form>
    </Dialog>
  )
}

// Actions are what can be done with a schedule; what the caller may not do says so.
export function Actions({ s, etag, now }: { s: Schedule; etag: string; now: number }) {
  const [open, setOpen] = useState<Kind | 'backfill' | null>(null)
  const [, navigate] = useLocation()
  const close = () => setOpen(null)
  return (
    <div className="buttons">
      <Act can={s.can} needs="edit" onClick={() => navigate(`/schedules/${s.id}/edit`)}>Edit</Act>
      {s.status === 'paused'
        ? <Act can={s.can} needs="edit" onClick={() => setOpen('resume')}>Resume…</Act>
        : <Act can={s.can} needs="edit" not={s.status === 'ended' && 'It has ended: edit it to give it new times.'} onClick={() => setOpen('pause')}>Pause…</Act>}
      <Act can={s.can} needs="execute" onClick={() => setOpen('trigger')}>Run now…</Act>
      <Act can={s.can} needs="operate" onClick={() => setOpen('backfill')}>Backfill…</Act>
      <Act can={s.can} needs="edit" look="danger" onClick={() => setOpen('delete')}>Delete…</Act>
      {open === 'backfill' ? <Backfill s={s} now={now} onClose={close} done={(from) => { close(); navigate(to(`/schedules/${s.id}`, { month: from.slice(0, 7), day: from })) }} /> : null}
      {open && open !== 'backfill' ? <Confirm kind={open} s={s} etag={etag} onClose={close} /> : null}
    </div>
  )
}
