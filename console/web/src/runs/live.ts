// A run's page is a summary and its steps, kept by what changed since. The tab's stream only
// says that there is something: what changed is read by changed_after, so that a break, a sleep
// and a slow browser all end in the same picture.
import { useCallback, useEffect, useRef, useState } from 'react'
import { call, Failure } from '../api/client'
import { live as told, useChanges, type Change } from '../api/events'
import type { Action, RunSummary } from '../api/queries'
import { to } from '../routes'

export interface Step {
  step_id: string; name: string; type: string; status: string; attempt: number; max_attempts: number; generation: number; iteration?: string
  started_at: string | null; completed_at: string | null; duration_seconds: number | null; next_attempt_at?: string
  error: { code: string; message: string } | null; output_bytes: number; seq?: number
  wait?: { kind: string; signal?: string; prompt?: string; request_id?: string; until?: string; timeout_at?: string }
  iterations?: { total: number | null; started: number; completed: number; failed: number }; waiting?: boolean; fallback?: string; handler?: string
}

export interface RunDetail extends RunSummary {
  seq: number; counts: Record<string, number>; can: Action[]; versions: { version: number; definition_hash: string; from_seq: number }[]
}

export interface Live { run: RunDetail | null; steps: Step[]; error: unknown; refresh: () => void }

export const terminal = new Set(['completed', 'failed', 'cancelled'])
export const runAPI = (id: string) => `/api/workflows/runs/${encodeURIComponent(id)}`
const paint = 150 // ms between two readings, at least
const away = 5_000 // ms between two readings while nothing is told

// stateOfStep is a step's state as it is shown: a loop in which nothing is in flight waits.
export const stateOfStep = (s: Step) => (s.status === 'running' && s.waiting ? 'waiting' : s.status)

// merge puts changed steps into a list at their places; the order is that of the definition,
// in which the server lists them at first.
export function merge(steps: Step[], changed: Step[]): Step[] {
  if (changed.length === 0) return steps
  const byID = new Map(changed.map((s) => [s.step_id, s]))
  const list = steps.map((s) => {
    const now = byID.get(s.step_id)
    byID.delete(s.step_id)
    return now && (now.seq ?? 0) >= (s.seq ?? 0) ? now : s
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
  const [live, set] = useState<Omit<Live, 'refresh'>>({ run: null, steps: [], error: null })
  const seq = useRef(-1)
  const again = useRef(() => {})
  useEffect(() => {
    const path = runAPI(id)
    const ending = new AbortController()
    const { signal } = ending
    let reading = false, wanted = false, ended = false
    seq.current = -1

    async function read() {
      const first = seq.current < 0
      const [steps, summary] = await Promise.all([readSteps(path, first ? null : seq.current, signal), call<{ run: RunDetail }>(to(path, { view: 'summary' }), { signal })])
      const run = summary.data.run
      seq.current = steps.seq
      ended = terminal.has(run.status)
      if (run.seq > steps.seq) wanted = true // it went on between the two answers
      set((old) => ({ run, steps: first ? steps.steps : merge(old.steps, steps.steps), error: null }))
    }
    again.current = async () => {
      wanted = true
      if (reading) return
      reading = true
      while (wanted && !signal.aborted) {
        wanted = false
        try {
          await read()
        } catch (error) {
          // The frame says that the server is away; what is seen stays.
          if (!signal.aborted) set((old) => (old.run && error instanceof Failure && (error.status === 0 || error.status === 401 || error.status === 503) ? old : { ...old, error }))
        }
        await new Promise((r) => setTimeout(r, paint))
      }
      reading = false
    }
    again.current()
    const timer = setInterval(() => { if (!told() && !ended) again.current() }, away)
    return () => { ending.abort(); clearInterval(timer) }
  }, [id])
  useChanges(useCallback((c: Change) => {
    const run = c.data['run'] as { id?: string; seq?: number } | undefined
    if (c.event === 'open' || c.event === 'reset' || (c.event === 'run_changed' && run?.id === id && (run.seq ?? 0) > seq.current)) again.current()
  }, [id]))
  return { ...live, refresh: useCallback(() => again.current(), []) }
}
