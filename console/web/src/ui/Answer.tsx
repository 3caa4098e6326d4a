import { useMemo, useState, type FormEvent } from 'react'
import { Failure } from '../api/client'
import { approvalURL, useApproval, type Approval } from '../api/approvals'
import { useWrite } from '../api/write'
import { strings as shared } from '../strings'
import { answerFace } from './answer/face'
import { strings } from './answer/strings'
import { Problem } from './Problem'
import { issuesOf, SchemaForm, useValueForm } from './SchemaForm'
import './answer/style.css'

// Answer is the form of an open wait, wherever it stands: its page, and the page of its run.
// bare leaves the prompt out, where it stands above already.
export function Answer({ id, bare }: { id: string; bare?: boolean }) {
  const found = useApproval(id)
  const a = found.data
  if (!a) return found.error ? <Problem error={found.error} retry={() => void found.refetch()} /> : null
  return <Whole key={a.id} a={a} bare={bare ?? false} again={() => void found.refetch()} />
}

function Whole({ a, bare, again }: { a: Approval; bare: boolean; again: () => void }) {
  // Its Idempotency-Key is made with the form, so that a double click answers once.
  const write = useWrite(['approval', 'approvals', 'runs'])
  const [comment, setComment] = useState('')
  const form = useValueForm(a.schema ?? undefined)
  const face = useMemo(() => answerFace(a.schema, a.choices), [a.schema, a.choices])
  const closed = write.error instanceof Failure && write.error.code === 'approval_closed'
  const issues = useMemo(() => (write.error instanceof Failure ? issuesOf(write.error.body) : []), [write.error])
  if (a.status !== 'open') return closed ? <p role="alert" className="problem">{(write.error as Failure).message}</p> : write.isSuccess ? <p role="status">{strings.thanks}</p> : null
  const off = write.isPending || !a.can_answer
  const send = (payload: string) => write.mutate({ path: `${approvalURL(a.id)}/answer`, body: `{"payload":${payload}${comment ? `,"comment":${JSON.stringify(comment)}` : ''}}` }, { onError: again })
  const why = a.can_answer ? undefined : a.can.includes('answer') ? strings.assigned(a.assignees.join(', ')) : shared.needs('answer')
  return (
    <form className="answer" onSubmit={(e: FormEvent) => { e.preventDefault(); if (face.kind === 'form' && form.json !== null && !off) send(form.json) }}
      onKeyDown={(e) => { if (e.key === 'Enter' && (e.metaKey || e.ctrlKey)) e.currentTarget.requestSubmit() }}>
      {bare ? null : <h2>{a.prompt || a.signal}</h2>}
      {why ? <p className="faint" id={`${a.id}-why`}>{why}</p> : null}
      {face.kind === 'form' ? <SchemaForm form={form} issues={issues} label={strings.payload} disabled={!a.can_answer} /> : null}
      <div className="field"><label htmlFor={`${a.id}-comment`} className="field-label">{strings.comment} <span className="faint">{strings.optional}</span></label>
        <textarea id={`${a.id}-comment`} className="text" rows={1} value={comment} maxLength={1000} disabled={!a.can_answer} onChange={(e) => setComment(e.target.value)} /></div>
      {write.error && issues.length === 0 ? <Problem error={write.error} /> : null}
      <div className="buttons">
        {face.kind === 'form'
          ? <button type="submit" className="primary" disabled={off || form.json === null} aria-describedby={why ? `${a.id}-why` : undefined}>{strings.send}</button>
          : face.buttons.map((b, i) => <button key={b.payload} type="button" className={i === 0 ? 'primary' : undefined} disabled={off} aria-describedby={why ? `${a.id}-why` : undefined} onClick={() => send(b.payload)}>{b.word}</button>)}
      </div>
    </form>
  )
}

