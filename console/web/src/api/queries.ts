// What the screens read, typed by hand to the fields that they show; the document's types
// (schema.d.ts) are held against these by tsc where a call goes through them.
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { call } from './client'
import { poll } from './events'
import { to } from '../routes'

export interface Actor { type: string; id: string; name: string }
export interface WorkflowRef { id: string; slug: string; name: string }
export type Action = 'view' | 'edit' | 'execute' | 'answer' | 'operate' | 'admin'

export interface Info {
  name: string; version: string; tenant: string; tenant_name: string
  key: { id: string; name: string; role: string }
  can: Action[]; auth: { methods: string[]; session: boolean }; time: string; features: string[]
}

export interface Workflow {
  id: string; slug: string; name: string; version: number; latest_version: number; status: string; tags: string[]; updated_at: string
  can: Action[]; unpublished?: boolean; open_runs?: number; failed_24h?: number; next_run_at?: string | null
  last_run?: { id: string; status: string; ended_at: string | null } | null; recent?: string[]; definition_hash?: string
  update_available?: number; draft?: { by: Actor | null; at: string } | null
}

export interface RunSummary {
  id: string; workflow_id: string; workflow: WorkflowRef; version: number; version_label: string | null; definition_hash: string
  status: string; trigger: string; error: { code: string; message: string } | null
  created_at: string; started_at: string | null; completed_at: string | null; duration_seconds: number | null
  steps?: { total: number; completed: number; failed: number; waiting: number; running: number }
  waiting_for?: { kind: string; signal?: string; prompt?: string; timeout_at: string | null; count: number } | null
  queue?: { since: string; ahead: number } | null
  labels?: Record<string, string>; started_by?: Actor; schedule_id?: string; due_at?: string; can: Action[]
}

export const useInfo = () => useQuery({ queryKey: ['info'], queryFn: async ({ signal }) => (await call<Info>('/v1/info', { signal })).data, staleTime: 60_000, retry: false })

export interface WorkflowFilter {
  status?: string | undefined; tag?: string | undefined; q?: string | undefined; order?: string | undefined
  health?: string | undefined; template_id?: string | undefined; cursor?: string | undefined
}

export const useWorkflows = (f: WorkflowFilter) => useQuery({
  queryKey: ['workflows', f], placeholderData: keepPreviousData, refetchInterval: poll,
  queryFn: async ({ signal }) => (await call<{ workflows: Workflow[]; total: number; next_cursor: string | null }>(to('/api/workflows', { ...f, limit: '50' }), { signal })).data,
})

export type RunFilter = Record<string, string | undefined>

export const useRuns = (f: RunFilter) => useQuery({
  queryKey: ['runs', f], placeholderData: keepPreviousData, refetchInterval: poll,
  queryFn: async ({ signal }) => (await call<{ runs: RunSummary[]; next_cursor: string | null }>(to('/api/workflows/runs', { ...f, limit: '50' }), { signal })).data,
})

// useApprovalCount is how many approvals wait for the caller; capped: there are more.
export const useApprovalCount = () => useQuery({
  queryKey: ['approvals', 'count'], refetchInterval: poll,
  queryFn: async ({ signal }) => (await call<{ mine: number; mine_capped: boolean; open: number }>('/api/workflows/approvals/count', { signal })).data,
})
