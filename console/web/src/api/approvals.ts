// Approvals: open waits for a person's answer.
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { to } from '../routes'
import { call } from './client'
import { parse, type Value } from './lossless'
import type { Action, Actor } from './queries'

export interface Approval {
  id: string; run_id: string; workflow: { id: string; slug: string; name: string | null }; version: number
  step_id: string; step_name: string | null; iteration: string | null; signal: string; prompt: string | null
  schema: Value; choices: string[]; context: Value; assignees: string[]
  opened_at: string; expires_at: string | null; on_timeout: string | null; started_by: Actor | null
  status: string; closed_at: string | null; answered_by: Actor | null; comment: string | null; payload: Value
  can_answer: boolean; can: Action[]
}

export const approvalURL = (id: string) => `/api/workflows/approvals/${encodeURIComponent(id)}`

// exact puts the values that users wrote in their own text beside what was read of an answer.
function exact(read: Approval, whole: Approval): Approval {
  return { ...read, schema: whole.schema, context: whole.context, payload: whole.payload }
}

export const useApproval = (id: string) => useQuery<Approval>({
  queryKey: ['approval', id], refetchInterval: (q) => (q.state.data?.status === 'open' ? 5_000 : false),
  queryFn: async ({ signal }) => {
    const answer = await call<{ approval: Approval }>(approvalURL(id), { signal })
    return exact(answer.data.approval, (parse(answer.text) as unknown as { approval: Approval }).approval)
  },
})

export interface ApprovalFilter { status?: string | undefined; mine?: string | undefined; workflow?: string | undefined; q?: string | undefined; order?: string | undefined; cursor?: string | undefined }

export const useApprovals = (f: ApprovalFilter) => useQuery({
  queryKey: ['approvals', f], placeholderData: keepPreviousData, refetchInterval: 5_000,
  queryFn: async ({ signal }) => (await call<{ approvals: Approval[]; total_open: number; next_cursor: string | null }>(to('/api/workflows/approvals', { ...f, limit: '50' }), { signal })).data,
})
