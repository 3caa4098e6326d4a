import { useQueryClient, type QueryKey } from '@tanstack/react-query'
import { useCallback, useRef } from 'react'
import { useChanges, type Change } from '../api/events'

// What is read again when something changes, by the event's name. Runs are not among them: a list
// of them takes their rows from the event (runs/).
const stale: Record<string, QueryKey[]> = {
  approval_opened: [['approvals'], ['approval']], approval_closed: [['approvals'], ['approval']],
  workflow_changed: [['workflows'], ['workflow'], ['versions']],
  schedule_changed: [['schedules'], ['schedule']], slot_decided: [['schedules'], ['schedule']],
  stats: [['stats']],
  open: [['approvals'], ['workflows'], ['schedules'], ['stats'], ['runs']], reset: [['approvals'], ['workflows'], ['schedules'], ['stats'], ['runs']],
}
const pause = 1_000 // ms that changes are gathered before anything is read again

// useRefresh reads again what a change makes outdated, of what is on the screen.
export function useRefresh() {
  const queries = useQueryClient()
  const names = useRef(new Set<string>())
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useChanges(useCallback((c: Change) => {
    if (!(c.event in stale)) return
    names.current.add(c.event)
    const read = () => {
      const keys = new Map([...names.current].flatMap((n) => stale[n] ?? []).map((k) => [String(k), k]))
      names.current.clear()
      clearTimeout(timer.current)
      timer.current = undefined
      for (const queryKey of keys.values()) void queries.invalidateQueries({ queryKey })
    }
    // What was read before the stream stood may be outdated by now.
    if (c.event === 'open' || c.event === 'reset') read()
    else timer.current ??= setTimeout(read, pause)
  }, [queries]))
}
