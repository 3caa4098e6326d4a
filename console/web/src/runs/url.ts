import { useLocation, useSearch } from 'wouter'
import { runPath, to } from '../routes'

export type View = 'graph' | 'list' | 'time' | 'log' | 'data' | 'events'

// RunURL is what a run's address says beside the run: the view, the step, the filters.
export interface RunURL { view?: View; step?: string; iteration?: string; attempt?: string; only?: string; q?: string; level?: string; kind?: string; status?: string }

const names = ['view', 'step', 'iteration', 'attempt', 'only', 'q', 'level', 'kind', 'status'] as const

export function useRunURL(id: string): [RunURL, (change: { [K in keyof RunURL]?: RunURL[K] | undefined }) => void] {
  const [, navigate] = useLocation()
  const params = new URLSearchParams(useSearch())
  const now: Record<string, string> = {}
  for (const n of names) { const v = params.get(n); if (v) now[n] = v }
  return [now as RunURL, (change) => navigate(to(runPath(id), { ...now, ...change }), { replace: true })]
}
