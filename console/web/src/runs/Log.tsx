import { useEffect, useRef, useState } from 'react'
import { call } from '../api/client'
import { base, to } from '../routes'
import { Empty, Problem } from '../ui/Problem'
import { useWindow } from '../ui/window'
import { runAPI } from './live'
import { strings } from './strings'

export interface Line { id: string; step_id: string; iteration: string | null; attempt: number; level: string; message: string; at: string }

const height = 20 // of a line, in px
const most = 10_000 // lines that are kept
const pause = 1_000 // ms between two looks for further lines

// useLines are the last lines that match, and those that come while the run is open.
function useLines(run: string, open: boolean, level: string | undefined, step: string | undefined, q: string | undefined): { lines: Line[]; error: unknown; read: boolean } {
  const [state, set] = useState<{ lines: Line[]; error: unknown; read: boolean }>({ lines: [], error: null, read: false })
  useEffect(() => {
    const ending = new AbortController()
    const { signal } = ending
    const filter = { level, step_id: step, q }
    async function work() {
      let cursor: string | undefined
      for (;;) {
        const { data } = await call<{ logs: Line[]; next_cursor: string | null }>(to(`${runAPI(run)}/logs`, { ...filter, limit: '1000', ...(cursor === undefined ? { from: 'end' } : { tail: 'true', cursor }) }), { signal })
        const first = cursor === undefined
        cursor = data.next_cursor ?? cursor
        if (first || data.logs.length) set((old) => ({ lines: [...(first ? [] : old.lines), ...data.logs].slice(-most), error: null, read: true }))
        if (!open || cursor === undefined) return
        await new Promise((r) => setTimeout(r, document.visibilityState === 'hidden' ? 10 * pause : pause))
        if (signal.aborted) return
      }
    }
    work().catch((error: unknown) => { if (!signal.aborted) set((old) => ({ ...old, error, read: true })) })
    return () => ending.abort()
  }, [run, open, level, step, q])
  return state
}

function Lines({ lines, follow, onFollow }: { lines: Line[]; follow: boolean; onFollow: (on: boolean) => void }) {
  const box = useRef<HTMLDivElement>(null)
  const [from, to] = useWindow(box, lines.length, height)
  useEffect(() => { if (follow && box.current) box.current.scrollTop = box.current.scrollHeight }, [lines, follow])
  const onScroll = () => {
    const el = box.current
    if (el) onFollow(el.scrollTop + el.clientHeight >= el.scrollHeight - 2 * height)
  }
  return (
    <div className="log" ref={box} tabIndex={0} role="log" aria-live="off" aria-label={strings.log} onScroll={onScroll}>
      <ol style={{ height: lines.length * height }}>
        {lines.slice(from, to).map((l, i) => (
          <li key={l.id} className={`level-${l.level}`} style={{ top: (from + i) * height }}>
            <time dateTime={l.at}>{l.at.slice(11, 23)}</time> <span className="log-level">{l.level}</span> <span className="log-step">{l.step_id}{l.iteration ? ` ${l.iteration}` : ''}</span> {l.message}
          </li>
        ))}
      </ol>
    </div>
  )
}

// Log is what the steps of a run say. It follows the end until somebody scrolls up.
export function Log({ run, open, level, step, q, onChange }: { run: string; open: boolean; level: string | undefined; step: string | undefined; q: string | undefined; onChange: (c: { level?: string | undefined; q?: string | undefined }) => void }) {
  const { lines, error, read } = useLines(run, open, level, step, q)
  const [follow, setFollow] = useState(true)
  return (
    <>
      <div className="filters">
        <label>{strings.levels} <select value={level ?? ''} onChange={(e) => onChange({ level: e.target.value || undefined })}><option value="">{strings.all}</option>{['debug', 'info', 'warn', 'error'].map((l) => <option key={l}>{l}</option>)}</select></label>
        <form onSubmit={(e) => { e.preventDefault(); onChange({ q: String(new FormData(e.currentTarget).get('q') ?? '') || undefined }) }}><label>{strings.searchLog} <input type="search" name="q" defaultValue={q} /></label></form>
        <label className="check"><input type="checkbox" checked={follow} onChange={(e) => setFollow(e.target.checked)} /> {strings.follow}</label>
        <a href={base + to(`${runAPI(run)}/logs`, { format: 'text', level, step_id: step, q })} download>{strings.download}</a>
      </div>
      {error ? <Problem error={error} /> : null}
      {lines.length ? <Lines lines={lines} follow={follow} onFollow={setFollow} /> : read && !error ? <Empty title={strings.noLines}><p>{strings.logHelp}</p></Empty> : null}
    </>
  )
}
