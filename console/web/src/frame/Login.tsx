import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState, type FormEvent } from 'react'
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
  const search = useSearch()
  const back = returnPath(search)
  const queries = useQueryClient()
  const [key, setKey] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const methods = useQuery({ queryKey: ['methods'], queryFn: async () => (await call<{ methods: string[] }>('/v1/session/methods')).data.methods, retry: false })

  // A link's token signs in by itself, once: it leaves the address bar and the history first.
  const token = useRef(new URLSearchParams(search).get('token'))
  useEffect(() => {
    const link = token.current
    if (link === null) return
    token.current = null
    navigate(to('/login', { return_to: back === '/' ? undefined : back }), { replace: true })
    void signIn({ link })
  }, [])

  async function signIn(body: { key: string } | { link: string }) {
    setBusy(true)
    setError(null)
    try {
      await call('/v1/session', { method: 'POST', body })
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
      <form onSubmit={(e: FormEvent) => { e.preventDefault(); void signIn({ key: key.trim() }) }}>
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
