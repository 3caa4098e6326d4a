import { useEffect, useState, type ReactNode } from 'react'
import { Failure } from '../api/client'
import { strings } from '../strings'

// Problem says what failed, with what support needs: the code and the request's id.
export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  const f = error instanceof Failure ? error : new Failure(0, 'internal', String(error), '', 0, {})
  return (
    <div className="problem" role="alert">
      <p>{f.message}</p>
      <p className="faint"><code>{f.code}</code>{f.requestId ? <> · <code>{f.requestId}</code></> : null}</p>
      {retry ? <button type="button" onClick={retry}>{strings.retry}</button> : null}
    </div>
  )
}

// Empty says what would be here, and the one thing to do about it.
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return <div className="empty"><h2>{title}</h2>{children}</div>
}

// Loading shows that something is on its way, only when it takes longer than 150 ms.
export function Loading() {
  const [late, setLate] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 150)
    return () => clearTimeout(timer)
  }, [])
  return late ? <div className="skeleton" role="status" aria-label={strings.loading} /> : null
}
