// A run's page is a summary and its steps, kept by what changed since. The stream only says
// that there is something: what changed is read by changed_after, so that a break, a sleep
// and a slow browser all end in the same picture.
import { useEffect, useRef, useState } from 'react'
import { call } from '../api/client'
import type { Action, RunSummary } from '../api/queries'
import { follow } from '../api/stream'
import { to } from '../routes'

export interface Step {
  step_id: string; name: string; type: string; status: string; attempt: number; max_attempts: number
  started_at: string | null; completed_at: string | null; duration_seconds: number | null
  error: { code: string; message: string } | null; output_bytes: number; seq: number
  wait?: { kind: string; signal?: string; prompt?: string; schema?: unknown; request_id?: string }
}

export interface RunDetail extends RunSummary { seq: number; counts: Record<string, number>; can: Action[] }

export interface Live { run: RunDetail | null; steps: Step[]; connected: boolean; error: unknown }

const terminal = new Set(['completed', 'failed', 'cancelled'])
const paint = 150 // ms between two readings, at least

// merge puts changed steps into a list at their places; the order is that of the definition,
// in which the server gives them at first.
export function merge(steps: Step[], changed: Step[]): Step[] {
  if (changed.length === 0) return steps
  const byID = new Map(changed.map((s) => [s.step_id, s]))
  const list = steps.map((s) => {
    const now = byID.get(s.step_id)
    byID.delete(s.step_id)
    return now && now.seq >= s.seq ? now : s
  })
  return byID.size ? [...list, ...byID.values()] : list
}

async function readSteps(path: string, after: number | null, signal: AbortSignal): Promise<{ seq: number; steps: Step[] }> {
  const steps: Step[] = []
  let cursor: string | undefined
  let seq = after ?? 0
  do {
    const { data } = await call<{ seq: number; steps: Step[]; next_cursor: string | null }>(
      to(`${path}/steps`, { limit: '200', cursor, changed_after: after === null ? undefined : String(after) }), { signal })
    if (cursor === undefined) seq = data.seq
    steps.push(...data.steps)
    cursor = data.next_cursor ?? undefined
  } while (cursor)
  return { seq, steps }
}

export function useLiveRun(id: string): Live {
  const [live, set] = useState<Live>({ run: null, steps: [], connected: false, error: null })
  const seq = useRef(0)
  useEffect(() => {
    const path = `/api/workflows/runs/${encodeURIComponent(id)}`
    const ending = new AbortController()
    const { signal } = ending
    let reading = false
    let again = false

    async function read(first: boolean): Promise<boolean> {
      const steps = await readSteps(path, first ? null : seq.current, signal)
      const { data } = await call<{ run: RunDetail }>(to(path, { view: 'summary' }), { signal })
      seq.current = steps.seq
      set((old) => ({ ...old, run: data.run, steps: first ? steps.steps : merge(old.steps, steps.steps), error: null }))
      return terminal.has(data.run.status) && steps.seq >= data.run.seq
    }
    async function refresh() {
      again = true
      if (reading) return
      reading = true
      while (again && !signal.aborted) {
        again = false
        await new Promise((r) => setTimeout(r, paint))
        try {
          await read(false)
        } catch (error) {
          if (!signal.aborted) set((old) => ({ ...old, error }))
        }
      }
      reading = false
    }
    async function begin() {
      try {
        if (await read(true)) return
        await follow(() => to(`${path}/stream`, { output: 'none', after: String(seq.current) }), signal,
          () => { void refresh(); return false }, (connected) => { set((old) => ({ ...old, connected })); if (connected) void refresh() })
        if (!signal.aborted) void refresh()
      } catch (error) {
        if (!signal.aborted) set((old) => ({ ...old, error }))
      }
    }
    void begin()
    return () => ending.abort()
  }, [id])
  return live
}
