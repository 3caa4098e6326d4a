// One workflow as its page and its dialogs read it.
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { to } from '../routes'
import { call } from './client'
import { parse, type Value } from './lossless'
import type { RunSummary, Workflow } from './queries'

export interface WorkflowWhole extends Workflow {
  definition: Value // its numbers keep their text
  definition_hash: string
  definition_version: number
  created_at: string
  template?: { id: string; version: number }
  update_available?: number
}

export const workflowURL = (slug: string) => `/api/workflows/${encodeURIComponent(slug)}`

// useWholeWorkflow reads a workflow with its active definition, and the ETag for If-Match.
export const useWholeWorkflow = (slug: string) => useQuery({
  queryKey: ['workflow', slug, 'whole'], refetchInterval: 15_000,
  queryFn: async ({ signal }) => {
    const answer = await call<{ workflow: WorkflowWhole }>(workflowURL(slug), { signal })
    const exact = parse(answer.text) as { workflow: { definition: Value; template?: { parameters?: Value } } }
    return { workflow: { ...answer.data.workflow, definition: exact.workflow.definition }, parameters: exact.workflow.template?.parameters, etag: answer.etag }
  },
})

// useDefinition reads the definition of a version; versions never change.
export const useDefinition = (slug: string, version: number, enabled: boolean) => useQuery({
  queryKey: ['definition', slug, version], enabled, staleTime: Infinity,
  queryFn: async ({ signal }) => (parse((await call(`${workflowURL(slug)}/versions/${version}`, { signal })).text) as { definition: Value }).definition,
})

export interface ListedVersion { version: number; label: string | null; change_summary: string; active: boolean; definition_hash: string }

export const useVersionList = (slug: string) => useQuery({
  queryKey: ['versions', slug, 'short'],
  queryFn: async ({ signal }) => (await call<{ versions: ListedVersion[] }>(to(workflowURL(slug) + '/versions', { limit: '50' }), { signal })).data.versions,
})

export const useLastRuns = (slug: string, limit: number) => useQuery({
  queryKey: ['runs', 'of', slug, limit], placeholderData: keepPreviousData, refetchInterval: 5_000,
  queryFn: async ({ signal }) => (await call<{ runs: RunSummary[]; total?: number }>(to(workflowURL(slug) + '/runs', { limit: String(limit) }), { signal })).data,
})

export interface NextDue { id: string; cron_expression: string; description: string; timezone: string; status: string; next_run_at: string | null }

export const useSchedulesOf = (slug: string) => useQuery({
  queryKey: ['schedules', 'of', slug], refetchInterval: 15_000,
  queryFn: async ({ signal }) => (await call<{ schedules: NextDue[]; total?: number }>(to(workflowURL(slug) + '/schedules', { limit: '20' }), { signal })).data,
})

export interface Usage { from: string; to: string; runs: number; tokens: number; cost_micro_usd: number }

export const useUsageOf = (slug: string) => useQuery({
  queryKey: ['usage', slug], staleTime: 60_000, queryFn: async ({ signal }) => (await call<Usage>(workflowURL(slug) + '/usage', { signal })).data,
})

// readInput is the input of a run, as it was given.
export async function readInput(run: string): Promise<Value | undefined> {
  const answer = await call(to(`/api/workflows/runs/${encodeURIComponent(run)}`, { view: 'summary' }))
  return (parse(answer.text) as { run: { input?: Value } }).run.input
}

export interface DryRun { status: string; output: Value; error: { code: string; message: string } | null; duration_seconds: number; truncated: boolean; steps: { step_id: string; type: string; status: string; error: { message: string } | null }[] }
