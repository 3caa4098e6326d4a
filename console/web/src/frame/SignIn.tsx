import { useEffect, useRef, useState, type FormEvent } from 'react'
import { call, Failure, signedOut } from '../api/client'
import { strings as shared } from '../strings'
import { Dialog } from '../ui/Dialog'
import { Problem } from '../ui/Problem'
import { strings } from './strings'

// SignIn is the form of a key; link is the token of a link, which signs in by itself, once.
export function SignIn({ link, onDone }: { link?: string | null; onDone: () => void }) {
  const [key, setKey] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const token = useRef(link ?? null)
  useEffect(() => {
    const text = token.current
    token.current = null
    if (text !== null) void send({ link: text })
    // the link is taken once, whatever is rendered later
  }, [])

  async function send(body: { key: string } | { link: string }) {
    setBusy(true)
    setError(null)
    try {
      await call('/v1/session', { method: 'POST', body })
      setKey('')
      onDone()
    } catch (failed) {
      setError(failed instanceof Failure ? failed : new Failure(0, 'internal', String(failed), '', 0, {}))
    } finally {
      setBusy(false)
    }
  }
  return (
    <form className="sign-in" onSubmit={(e: FormEvent) => { e.preventDefault(); void send({ key: key.trim() }) }}>
      <label htmlFor="key">{shared.keyLabel}</label>
      <input id="key" type="password" autoComplete="current-password" autoFocus required spellCheck={false} value={key} onChange={(e) => setKey(e.target.value)} aria-describedby="key-help" />
      <p id="key-help" className="faint">{shared.keyHelp}</p>
      {error ? <Problem error={error} /> : null}
      <button type="submit" className="primary" disabled={busy || key.trim() === ''}>{shared.signIn}</button>
    </form>
  )
}

// SessionEnd stands above the screen when the session has ended, and leaves what is on it as it is.
export function SessionEnd({ onSignedIn }: { onSignedIn: () => void }) {
  const [ended, setEnded] = useState(false)
  useEffect(() => {
    const end = () => setEnded(true)
    signedOut.add(end)
    return () => { signedOut.delete(end) }
  }, [])
  if (!ended) return null
  return (
    <Dialog title={strings.ended} onClose={() => setEnded(false)}>
      <p>{strings.endedHelp}</p>
      <SignIn onDone={() => { setEnded(false); onSignedIn() }} />
    </Dialog>
  )
}
