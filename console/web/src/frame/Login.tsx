import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { useLocation, useSearch } from 'wouter'
import { call, Failure } from '../api/client'
import { base, to } from '../routes'
import { strings } from '../strings'
import { Problem } from '../ui/Problem'

// returnPath is where a person goes after signing in: a path of this console, nothing else.
export function returnPath(search: string): string {
  const path = new URLSearchParams(search).get('return_to') ?? '/'
  return path.startsWith('/') && !path.startsWith('//') && !path.includes('\\') ? path : '/'
}

export function Login() {
  const [, navigate] = useLocation()
  const back = returnPath(useSearch())
  const queries = useQueryClient()
  const [key, setKey] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const methods = useQuery({ queryKey: ['methods'], queryFn: async () => (await call<{ methods: string[] }>('/v1/session/methods')).data.methods, retry: false })

  async function submit(e: FormEvent) {
    e.preventDefault()
    setBusy(true)
    setError(null)
    try {
      await call('/v1/session', { method: 'POST', body: { key: key.trim() } })
      setKey('')
      queries.clear()
      navigate(back, { replace: true })
    } catch (failed) {
      setError(failed instanceof Failure ? failed : new Failure(0, 'internal', String(failed), '', 0, {}))
    } finally {
      setBusy(false)
    }
  }

  return (
    <main className="login" id="content">
      <h1>{strings.product}</h1>
      <form onSubmit={submit}>
        <label htmlFor="key">{strings.keyLabel}</label>
        <input id="key" type="password" autoComplete="current-password" autoFocus required spellCheck={false} value={key} onChange={(e) => setKey(e.target.value)} aria-describedby="key-help" />
        <p id="key-help" className="faint">{strings.keyHelp}</p>
        {error ? <Problem error={error} /> : null}
        <button type="submit" className="primary" disabled={busy || key.trim() === ''}>{strings.signIn}</button>
      </form>
      {methods.data?.includes('oidc') ? <a className="button" href={base + to('/v1/session/oidc', { return_to: base + back })}>{strings.withProvider}</a> : null}
    </main>
  )
}
