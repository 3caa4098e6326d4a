// Changes of many objects: a dry run, then a job that is followed.
import { useQuery } from '@tanstack/react-query'
import { call } from './client'

export interface BulkPreview { matched: number; allowed: number; skipped: { reason: string; count: number }[] }
export interface Job { id: string; status: string; progress: { total: number; done: number; failed: number; skipped: number } }

export async function previewBulk(path: string, body: Record<string, unknown>): Promise<BulkPreview> {
  return (await call<BulkPreview>(path, { method: 'POST', body: { ...body, dry_run: true } })).data
}

// useJob follows a job until it has ended.
export const useJob = (id: string | undefined) => useQuery<Job>({
  queryKey: ['job', id], enabled: id !== undefined, refetchInterval: (q) => (q.state.data && q.state.data.status !== 'running' ? false : 500),
  queryFn: async ({ signal }) => (await call<{ job: Job }>(`/api/workflows/jobs/${id ?? ''}`, { signal })).data.job,
})
