import { useMemo, useState, type FormEvent } from 'react'
import type { Value } from '../api/lossless'
import { useWrite } from '../api/write'
import { flatten, stepsOf } from '../layout/definition'
import { to } from '../routes'
import { Dialog } from '../ui/Dialog'
import { Problem } from '../ui/Problem'
import { runAPI } from './live'
import { strings } from './strings'

export type Steer = 'cancel' | 'pause' | 'terminate' | 'restart' | 'redrive' | 'delete'

interface Props { run: string; steer: Steer; step?: string; definition?: Value | undefined; onClose: () => void; onDone: (run: string | undefined) => void }

// ReasonDialog says what a command does, asks for a reason, and sends it once.
export function ReasonDialog({ run, steer, step, definition, onClose, onDone }: Props) {
  const [reason, setReason] = useState('')
  const words = strings.act[steer]
  const write = useWrite<{ run_id?: string } | undefined>(['runs'], (answer) => onDone(answer.data?.run_id))
  const undone = useMemo(() => (steer === 'cancel' && definition !== undefined ? flatten(stepsOf(definition)).filter((s) => 'compensate' in s.raw) : []), [steer, definition])
  const submit = (e: FormEvent) => {
    e.preventDefault()
    const why = reason.trim()
    if (steer === 'delete') write.mutate({ method: 'DELETE', path: to(runAPI(run), { reason: why || undefined }) })
    else write.mutate({ path: `${runAPI(run)}/${steer}`, body: { ...(why ? { reason: why } : {}), ...(step ? { step_id: step } : {}) } })
  }
  return (
    <Dialog title={words.title} onClose={onClose}>
      <form onSubmit={submit}>
        <p>{words.text}</p>
        {undone.length ? <div><p>{strings.undone}</p><ul className="plain">{undone.map((s) => <li key={s.id}><code>{s.id}</code></li>)}</ul></div> : null}
        <div className="field"><label htmlFor="reason">{strings.reason}</label><input id="reason" value={reason} maxLength={1000} autoFocus onChange={(e) => setReason(e.target.value)} aria-describedby="reason-help" /><span id="reason-help" className="faint">{strings.reasonHelp}</span></div>
        {write.error ? <Problem error={write.error} /> : null}
        <div className="foot">
          <button type="button" onClick={onClose}>{strings.back}</button>
          <button type="submit" className={steer === 'terminate' || steer === 'delete' ? 'danger' : 'primary'} disabled={write.isPending}>{words.button}</button>
        </div>
      </form>
    </Dialog>
  )
}
