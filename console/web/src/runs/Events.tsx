import { useEffect, useMemo, useRef, useState } from 'react'
import { follow } from '../api/stream'
import { to as urlOf } from '../routes'
import { Empty } from '../ui/Problem'
import { useWindow } from '../ui/window'
import { runAPI } from './live'
import { strings } from './strings'

interface Event { seq: string; kind: string; data: string }

const height = 24 // of a row, in px
const most = 50_000

// useJournal reads a run's events up to seq, and goes on from there when seq grows.
function useJournal(run: string, seq: number): Event[] {
  const [events, set] = useState<Event[]>([])
  const last = useRef(0)
  useEffect(() => {
    const ending = new AbortController()
    const batch: Event[] = []
    const flush = () => { if (batch.length) { const more = batch.splice(0); set((old) => [...old, ...more].slice(-most)) } }
    if (last.current < seq) {
      void follow(() => urlOf(`${runAPI(run)}/stream`, { output: 'none', after: String(last.current) }), ending.signal, (f) => {
        const n = Number(f.id)
        if (n > last.current) {
          last.current = n
          batch.push({ seq: f.id, kind: f.event, data: f.data })
        }
        if (batch.length >= 500) flush()
        return last.current >= seq
      }, () => {}).then(flush)
    }
    return () => { ending.abort(); flush() }
  }, [run, seq])
  return events
}

// Events is the journal, as it stands.
export function Events({ run, seq, kind, onKind }: { run: string; seq: number; kind: string | undefined; onKind: (k: string | undefined) => void }) {
  const events = useJournal(run, seq)
  const box = useRef<HTMLDivElement>(null)
  const kinds = useMemo(() => [...new Set(events.map((e) => e.kind))].sort(), [events])
  const list = useMemo(() => (kind ? events.filter((e) => e.kind === kind) : events), [events, kind])
  const [from, to] = useWindow(box, list.length, height)
  return (
    <>
      <div className="filters"><label>{strings.kinds} <select value={kind ?? ''} onChange={(e) => onKind(e.target.value || undefined)}><option value="">{strings.all}</option>{kinds.map((k) => <option key={k}>{k}</option>)}</select></label></div>
      {list.length === 0 ? <Empty title={strings.noEvents} /> : (
        <div className="log events" ref={box} tabIndex={0} role="region" aria-label={strings.views.events}>
          <ol style={{ height: list.length * height }}>
            {list.slice(from, to).map((e, i) => <li key={e.seq} style={{ top: (from + i) * height, height }}><span className="log-seq">{e.seq}</span> <b>{e.kind}</b> <span className="faint" title={e.data}>{e.data}</span></li>)}
          </ol>
        </div>
      )}
    </>
  )
}
