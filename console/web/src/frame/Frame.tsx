import { useQueryClient } from '@tanstack/react-query'
import { useContext, useEffect, type ReactNode } from 'react'
import { Link, useLocation } from 'wouter'
import { call } from '../api/client'
import type { Info } from '../api/queries'
import { strings } from '../strings'
import { Clock } from '../ui/Time'

const nav: [string, string][] = [
  ['/', strings.nav.overview], ['/workflows', strings.nav.workflows], ['/runs', strings.nav.runs],
  ['/approvals', strings.nav.approvals], ['/schedules', strings.nav.schedules], ['/templates', strings.nav.templates],
]

// Frame is what stands around each screen. After a navigation the heading of the new screen
// takes the focus, so that a screen reader says where one is.
export function Frame({ info, children }: { info: Info; children: ReactNode }) {
  const [path, navigate] = useLocation()
  const queries = useQueryClient()
  const { utc, setUTC } = useContext(Clock)
  useEffect(() => { document.querySelector<HTMLElement>('main h1')?.focus() }, [path])

  async function signOut() {
    try {
      await call('/v1/session', { method: 'DELETE' })
    } finally {
      queries.clear()
      navigate('/login')
    }
  }

  return (
    <div className="frame">
      <a className="skip" href="#content">{strings.skip}</a>
      <header>
        <Link href="/" className="brand">{strings.product}</Link>
        <span className="tenant">{info.tenant_name}</span>
        <span className="spacer" />
        <span className="faint">{info.key.name} · {info.key.role}</span>
        <button type="button" onClick={signOut}>{strings.signOut}</button>
      </header>
      <nav aria-label="Screens">
        <ul>
          {nav.map(([href, name]) => {
            const here = href === '/' ? path === '/' : path === href || path.startsWith(href + '/')
            return <li key={href}><Link href={href} aria-current={here ? 'page' : undefined}>{name}</Link></li>
          })}
        </ul>
        <footer>
          <button type="button" onClick={() => setUTC(!utc)} aria-pressed={utc}>{utc ? 'UTC' : 'Local time'}</button>
          <span className="faint">{info.version}</span>
        </footer>
      </nav>
      <main id="content">{children}</main>
    </div>
  )
}

// Title is the heading of a screen, and the document's.
export function Title({ text, children }: { text: string; children?: ReactNode }) {
  useEffect(() => { document.title = `${text} · ${strings.product}` }, [text])
  return <div className="title"><h1 tabIndex={-1}>{text}</h1>{children}</div>
}
