// What the overview reads of runs as a whole.
import { useQuery } from '@tanstack/react-query'
import { call } from './client'
import { poll } from './events'
import { to } from '../routes'

export interface Bucket { at: string; started: number; completed: number; failed: number; cancelled: number }
export interface RunStats {
  from: string; to: string; buckets: Bucket[]; open: { queued: number; running: number; waiting: number; paused: number }
  slots: { used: number; of: number; queued_oldest_seconds: number | null } | null
}

// useRunStats counts the runs of the last 24 hours, by the hour.
export const useRunStats = () => useQuery({
  queryKey: ['stats'], refetchInterval: () => poll() || 60_000,
  queryFn: async ({ signal }) => (await call<RunStats>(to('/api/workflows/runs/stats', { bucket: '1h' }), { signal })).data,
})
