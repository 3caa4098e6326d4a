import { useQuery } from '@tanstack/react-query'
import { useRef, useState, type FormEvent } from 'react'
import { call } from '../api/client'
import { Problem } from '../ui/Problem'

interface Approval { id: string; signal: string; prompt: string; schema: { type?: string; properties?: Record<string, { type?: string }>; required?: string[] } | null; status: string; can_answer: boolean }

// onlyBoolean is the name of a schema's one property if it is a boolean: two buttons ask for it.
function onlyBoolean(schema: Approval['schema']): string | null {
  const names = Object.keys(schema?.properties ?? {})
  const first = names[0]
  return names.length === 1 && first !== undefined && schema?.properties?.[first]?.type === 'boolean' ? first : null
}

// Answer is the form of an open wait. Its Idempotency-Key is made with it, so that a double
// click answers once.
export function Answer({ id }: { id: string }) {
  const path = `/api/workflows/approvals/${encodeURIComponent(id)}`
  const approval = useQuery({ queryKey: ['approval', id], queryFn: async ({ signal }) => (await call<{ approval: Approval }>(path, { signal })).data.approval })
  const key = useRef(crypto.randomUUID())
  const [text, setText] = useState('{}')
  const [comment, setComment] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const a = approval.data
  if (!a || a.status !== 'open') return null

  async function send(payload: string) {
    setBusy(true)
    setError(null)
    try {
      // The payload goes as it was written: its numbers are the author's.
      await call(`${path}/answer`, { method: 'POST', headers: { 'Idempotency-Key': key.current }, body: `{"payload":${payload}${comment ? `,"comment":${JSON.stringify(comment)}` : ''}}` })
      await approval.refetch()
    } catch (failed) {
      key.current = crypto.randomUUID()
      setError(failed)
    } finally {
      setBusy(false)
    }
  }
  const field = onlyBoolean(a.schema)
  return (
    <form className="answer" onSubmit={(e: FormEvent) => { e.preventDefault(); void send(text) }}>
      <h2>{a.prompt || a.signal}</h2>
      {!a.can_answer ? <p className="faint">You may look at this, but not answer it.</p> : null}
      <label>Comment <input value={comment} maxLength={1000} onChange={(e) => setComment(e.target.value)} /></label>
      {field !== null ? (
        <div className="buttons">
          <button type="button" className="primary" disabled={busy || !a.can_answer} onClick={() => void send(`{${JSON.stringify(field)}:true}`)}>Approve</button>
          <button type="button" disabled={busy || !a.can_answer} onClick={() => void send(`{${JSON.stringify(field)}:false}`)}>Decline</button>
        </div>
      ) : (
        <>
          <label>Payload, JSON <textarea value={text} rows={4} spellCheck={false} onChange={(e) => setText(e.target.value)} /></label>
          <button type="submit" className="primary" disabled={busy || !a.can_answer}>Answer</button>
        </>
      )}
      {error ? <Problem error={error} /> : null}
    </form>
  )
}
