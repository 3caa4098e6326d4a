// The one stream of a tab: what changes in the tenant, as GET /v1/events says it. It ends ten
// seconds after the tab is hidden (a browser has six connections to a host, and a seventh tab
// would hang) and begins again when it is seen.
import { useEffect, useSyncExternalStore } from 'react'
import { follow, type Frame } from './stream'
import { whileVisible } from './visible'

// Change is a frame of the stream; open: it stands, and what was read before may be outdated.
export type Change = { event: string; data: Record<string, unknown> }
type Listener = (change: Change) => void

export type Connection = 'connecting' | 'live' | 'lost'

const listeners = new Set<Listener>()
const watchers = new Set<() => void>()
let state: Connection = 'connecting'
let lostAt = 0
let lastID = ''

function set(next: Connection) {
  if (next === state) return
  state = next
  if (next === 'lost') lostAt = Date.now()
  for (const w of watchers) w()
}

function tell(change: Change) { for (const l of listeners) l(change) }

function frame(f: Frame): boolean {
  if (f.id) lastID = f.id
  try {
    tell({ event: f.event, data: JSON.parse(f.data || '{}') as Record<string, unknown> })
  } catch {
    // a frame of a later server: what it means is read with the next poll
  }
  return false
}

// live reports whether changes are told at once, so that nothing needs to be asked for.
export const live = () => state === 'live'

// poll is a query's refetchInterval: only while changes are not told.
export const poll = () => (live() ? false : 5_000)

export const useConnection = () => useSyncExternalStore((w) => { watchers.add(w); return () => watchers.delete(w) }, () => state)

// since is when the connection was lost, in milliseconds.
export const since = () => lostAt

// useChanges tells of changes while the component is there. The listener must be stable.
export function useChanges(listener: Listener) {
  useEffect(() => {
    listeners.add(listener)
    return () => { listeners.delete(listener) }
  }, [listener])
}

// useEventStream keeps the stream open while the frame is there, and begins it anew with another
// session. Where the server ends it, as with the session, changes are asked for instead.
export function useEventStream(session: number) {
  useEffect(() => {
    const ending = new AbortController()
    void whileVisible(ending.signal, (signal) => follow(() => '/v1/events', signal, frame, (connected) => {
      set(connected ? 'live' : 'lost')
      if (connected) tell({ event: 'open', data: {} })
    }, () => lastID)).then(() => { if (!ending.signal.aborted) set('connecting') })
    return () => ending.abort()
  }, [session])
}
