import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useChanges, type Change } from '../api/events'
import type { RunSummary } from '../api/queries'
import { matches, type Filter } from './filter'

interface Page { runs: RunSummary[]; next_cursor: string | null }

const paint = 150 // ms between two changes of the rows, at most

// useRunChanges keeps the rows of lists as they are now, in their places. Runs that are not in
// sight are counted: fresh is how many of them belong to the list.
export function useRunChanges(filter: Filter, page: Page | undefined): number {
  const queries = useQueryClient()
  const [fresh, setFresh] = useState<Set<string>>(new Set())
  const waiting = useRef(new Map<string, RunSummary>())
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const shown = useRef(page)
  shown.current = page
  const filterNow = useRef(filter)
  filterNow.current = filter
  const first = page?.runs[0]?.id
  useEffect(() => setFresh(new Set()), [JSON.stringify(filter), first])
  useChanges(useCallback((c: Change) => {
    if (c.event !== 'run_changed') return
    const run = c.data['run'] as RunSummary
    waiting.current.set(run.id, run)
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      const changed = new Map(waiting.current)
      waiting.current.clear()
      queries.setQueriesData<Page>({ queryKey: ['runs'] }, (old) => (old?.runs.some((r) => changed.has(r.id)) ? { ...old, runs: old.runs.map((r) => changed.get(r.id) ?? r) } : old))
      const newest = shown.current?.runs[0]?.created_at ?? ''
      const more = [...changed.values()].filter((r) => r.created_at > newest && !shown.current?.runs.some((s) => s.id === r.id) && matches(filterNow.current, r))
      if (more.length) setFresh((old) => new Set([...old, ...more.map((r) => r.id)]))
    }, paint)
  }, [queries]))
  return fresh.size
}
