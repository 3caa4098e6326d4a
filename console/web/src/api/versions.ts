// Reads of versions, their texts and what differs between them.
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { Change, Diff } from '../diff/changes'
import { to } from '../routes'
import { call, values } from './client'
import { parse, type Value } from './lossless'
import type { Action, Actor } from './queries'

export interface Version {
  version: number; label: string | null; change_summary: string; summary?: string; created_at: string; created_by: string; actor?: Actor
  published_at: string | null; published_by?: Actor; definition_hash: string; source_format?: 'yaml' | 'json'; active: boolean
  runs?: { open: number; last_30d: number }
}

export interface Source { format: 'yaml' | 'json'; text: string }

// WorkflowHead is what screens of one workflow show of it; the definition is not among it.
export interface WorkflowHead {
  id: string; slug: string; name: string; version: number; latest_version: number; status: string; can: Action[]
  definition_hash: string; definition_version: number; source_format?: 'yaml' | 'json'
}

export const workflowAPI = (slug: string) => `/api/workflows/${encodeURIComponent(slug)}`

// useWorkflow reads a workflow, with the ETag that writes name in If-Match.
export const useWorkflow = (slug: string) => useQuery({
  queryKey: ['workflow', slug], refetchInterval: 15_000,
  queryFn: async ({ signal }) => {
    const answer = await call<{ workflow: WorkflowHead }>(workflowAPI(slug), { signal })
    return { workflow: answer.data.workflow, etag: answer.etag }
  },
})

export const useVersions = (slug: string, cursor?: string) => useQuery({
  queryKey: ['versions', slug, cursor], placeholderData: keepPreviousData, refetchInterval: 15_000,
  queryFn: async ({ signal }) => (await call<{ versions: Version[]; total?: number; next_cursor: string | null }>(to(workflowAPI(slug) + '/versions', { limit: '50', cursor }), { signal })).data,
})

export interface WholeVersion extends Version { definition: Value; source: Source | null }

// readVersion reads a version with its definition, whose numbers keep their text.
export async function readVersion(slug: string, version: number | string, signal?: AbortSignal): Promise<WholeVersion> {
  const answer = await call<Version & { source?: Source }>(`${workflowAPI(slug)}/versions/${encodeURIComponent(String(version))}`, signal ? { signal } : {})
  const exact = parse(answer.text) as { definition: Value }
  return { ...answer.data, definition: exact.definition, source: answer.data.source ?? null }
}

// Versions never change; their labels do, which the list shows.
export const useVersion = (slug: string, version: string) => useQuery({
  queryKey: ['version', slug, version], staleTime: 60_000, queryFn: ({ signal }) => readVersion(slug, version, signal),
})

// readText is the text of a version as it was written, or as the server writes it where none is kept.
export async function readText(slug: string, version: number | string, signal?: AbortSignal): Promise<string> {
  return (await call(`${workflowAPI(slug)}/versions/${encodeURIComponent(String(version))}`, { headers: { Accept: 'application/yaml' }, ...(signal ? { signal } : {}) })).text
}

export const useText = (slug: string, version: string) => useQuery({
  queryKey: ['text', slug, version], staleTime: 60_000, queryFn: ({ signal }) => readText(slug, version, signal),
})

export const useDiff = (slug: string, a: string, b: string) => useQuery({
  queryKey: ['diff', slug, a, b], staleTime: 60_000,
  queryFn: async ({ signal }) => (await values(to(workflowAPI(slug) + '/diff', { v1: a, v2: b }), { signal })) as unknown as Diff,
})

// compareSources is the difference of two texts that need not be stored.
export async function compareSources(before: Source, after: Source): Promise<Diff> {
  return (await values('/api/workflows/diff', { method: 'POST', body: { before: { source: before }, after: { source: after } } })) as unknown as Diff
}

export interface Preview extends Diff {
  changes: Change[]
  open_runs: { version: number; count: number }[]
  schedules: { schedule_id: string; input_fits: boolean; problem?: string }[]
  breaking: { pointer: string; message: string }[]
  callers: { trigger: string; last_used: string }[]
  resumable: { run_id: string }[]
  open_approvals: number
  secrets_missing: string[]
  agents_missing: string[]
  source_changed?: boolean
}
