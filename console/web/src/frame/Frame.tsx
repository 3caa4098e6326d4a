import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useContext, useEffect, useState, type ReactNode } from 'react'
import { Link, useLocation } from 'wouter'
import { call } from '../api/client'
import { since, useConnection, useEventStream } from '../api/events'
import { useApprovalCount, type Info } from '../api/queries'
import { strings as shared } from '../strings'
import { Icon } from '../ui/Icon'
import { Clock } from '../ui/Time'
import { useKeys } from './keys'
import { Keys } from './Keys'
import { Palette } from './Palette'
import { useRefresh } from './refresh'
import { administration, screens, type Screen } from './screens'
import { SessionEnd } from './SignIn'
import { strings } from './strings'
import './style.css'

function NavItem({ screen, badge }: { screen: Screen; badge?: ReactNode }) {
  const [path] = useLocation()
  const here = screen.href === '/' ? path === '/' : path === screen.href || path.startsWith(screen.href + '/')
  return <li><Link href={screen.href} aria-current={here ? 'page' : undefined}><Icon shape={screen.icon} />{screen.name}{badge}</Link></li>
}

function Badge() {
  const count = useApprovalCount().data
  if (!count || count.mine === 0) return null
  const n = count.mine_capped ? `${count.mine}+` : String(count.mine)
  return <span className="badge"><span aria-hidden="true">{n}</span><span className="sr">, {strings.waiting(n)}</span></span>
}

// Connection says whether changes come by themselves; where the server is away, as of when what
// is seen is.
function Connection() {
  const state = useConnection()
  if (state === 'lost') return <p className="lost-note" role="status">{strings.lost(new Date(since()).toLocaleTimeString())}</p>
  return null
}

// Frame is what stands around each screen. After a navigation the heading of the new screen
// takes the focus, so that a screen reader says where one is.
export function Frame({ info, children }: { info: Info; children: ReactNode }) {
  const [path, navigate] = useLocation()
  const queries = useQueryClient()
  const { utc, setUTC } = useContext(Clock)
  const [open, setOpen] = useState<'palette' | 'keys' | null>(null)
  const connection = useConnection()
  const [session, setSession] = useState(0)
  useEventStream(session)
  useRefresh()
  useKeys(navigate, useCallback(() => setOpen('palette'), []), useCallback(() => setOpen('keys'), []))
  useEffect(() => { document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true }) }, [path])
  const allowed = administration.filter((s) => !s.needs || info.can.includes(s.needs))

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
      <a className="skip" href="#content" onClick={(e) => { e.preventDefault(); document.getElementById('content')?.focus() }}>{shared.skip}</a>
      <header>
        <Link href="/" className="brand">{shared.product}</Link>
        <span className="tenant faint">{info.tenant_name}</span>
        <button type="button" className="search" onClick={() => setOpen('palette')}><Icon shape="search" />{strings.search}<kbd>⌘K</kbd></button>
        <span className={`connection ${connection}`} title={connection === 'live' ? strings.live : strings.connecting}><i />{connection === 'live' ? strings.live : connection === 'lost' ? strings.gone : strings.connecting}</span>
        <span className="who">{info.key.name}<span className="faint"> · {info.key.role}</span></span>
        <button type="button" className="bare" onClick={signOut}>{shared.signOut}</button>
      </header>
      <nav aria-label={strings.screens}>
        <ul>{screens.map((s) => <NavItem key={s.href} screen={s} badge={s.href === '/approvals' ? <Badge /> : undefined} />)}</ul>
        {allowed.length ? <><h2 className="nav-head">{strings.administration}</h2><ul>{allowed.map((s) => <NavItem key={s.href} screen={s} />)}</ul></> : null}
        <footer>
          <button type="button" className="bare" onClick={() => setUTC(!utc)} aria-pressed={utc}>{utc ? strings.utc : strings.local}</button>
          <button type="button" className="bare" onClick={() => setOpen('keys')}><kbd>?</kbd> {strings.keysOpen}</button>
          <span className="faint version-of">{info.version}</span>
        </footer>
      </nav>
      <main id="content" tabIndex={-1}><Connection />{children}</main>
      {open === 'palette' ? <Palette screens={[...screens, ...allowed]} onClose={() => setOpen(null)} /> : null}
      {open === 'keys' ? <Keys onClose={() => setOpen(null)} /> : null}
      <SessionEnd onSignedIn={() => { setSession((n) => n + 1); void queries.invalidateQueries() }} />
    </div>
  )
}

// Title is the heading of a screen, and the document's.
export function Title({ text, children }: { text: string; children?: ReactNode }) {
  useEffect(() => { document.title = `${text} · ${shared.product}` }, [text])
  return <div className="title"><h1 tabIndex={-1}>{text}</h1>{children}</div>
}
