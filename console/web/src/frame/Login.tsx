import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useLocation, useSearch } from 'wouter'
import { call } from '../api/client'
import { base, to } from '../routes'
import { strings } from '../strings'
import { SignIn } from './SignIn'
import './style.css'

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
  // A link's token leaves the address bar and the history before it is used.
  const [token] = useState(() => new URLSearchParams(search).get('token'))
  useEffect(() => {
    document.title = `${strings.signIn} · ${strings.product}`
    if (token !== null) navigate(to('/login', { return_to: back === '/' ? undefined : back }), { replace: true })
  }, [token])
  const methods = useQuery({ queryKey: ['methods'], queryFn: async () => (await call<{ methods: string[] }>('/v1/session/methods')).data.methods, retry: false })
  return (
    <main className="login" id="content">
      <h1>{strings.product}</h1>
      <SignIn link={token} onDone={() => { queries.clear(); navigate(back, { replace: true }) }} />
      {methods.data?.includes('oidc') ? <a className="button" href={base + to('/v1/session/oidc', { return_to: base + back })}>{strings.withProvider}</a> : null}
    </main>
  )
}
