// Templates, and what is made of them.
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { to } from '../routes'
import { call } from './client'
import { parse, type Value } from './lossless'
import { workflowURL } from './workflow'

export interface Template {
  id: string; name: string; description: string; category: string; is_builtin: boolean; version: number
  suggested_schedule?: string; created_at: string | null; updated_at: string | null
}
export interface TemplateWhole extends Template { definition: Value; parameters: Value }

export const templateURL = (id: string) => `/api/workflows/templates/${encodeURIComponent(id)}`

// There are tens of templates: one page holds them, and filters need no server.
export const useTemplates = () => useQuery({
  queryKey: ['templates'], staleTime: 30_000,
  queryFn: async ({ signal }) => (await call<{ templates: Template[]; next_cursor: string | null }>(to('/api/workflows/templates', { limit: '200' }), { signal })).data,
})

export const useTemplate = (id: string, enabled = true) => useQuery({
  queryKey: ['template', id], enabled,
  queryFn: async ({ signal }) => {
    const answer = await call<{ template: Template }>(templateURL(id), { signal })
    const exact = parse(answer.text) as { template: { definition: Value; parameters: Value } }
    return { ...answer.data.template, definition: exact.template.definition, parameters: exact.template.parameters } as TemplateWhole
  },
})

export interface Installed { id: string; slug: string; name: string; template_version: number }

export const useInstalled = (id: string) => useQuery({
  queryKey: ['installed', id], queryFn: async ({ signal }) => (await call<{ installed: Installed[]; next_cursor: string | null }>(templateURL(id) + '/workflows', { signal })).data,
})

export interface Diagnostic { severity: string; message: string; pointer: string; line?: number; column?: number }
export interface InstallPreview { definition: Value; diagnostics: Diagnostic[]; valid: boolean }

// previewInstall is the workflow that an installation would make.
export async function previewInstall(id: string, body: string): Promise<InstallPreview> {
  return parse((await call(to(templateURL(id) + '/install', { dry_run: 'true' }), { method: 'POST', body })).text) as unknown as InstallPreview
}

export interface Conflict { step_id: string | null; path: string; installed?: Value; edited?: Value; new?: Value }
export interface MergeField { path: string; before?: Value; after?: Value }
export interface Merge {
  version: number; template_version: number; previous_template_version: number; summary: string
  changes: { step_id?: string; change: string; previous_id?: string; fields?: MergeField[] }[]; conflicts: Conflict[]; definition?: Value
}

// useMerge is what the newest version of its template would make of a workflow: a dry run, with
// the body that the update would send.
export const useMerge = (slug: string, body: string, enabled: boolean) => useQuery({
  queryKey: ['merge', slug, body], enabled, retry: false, staleTime: Infinity, placeholderData: keepPreviousData,
  queryFn: async ({ signal }) => {
    const answer = await call(to(workflowURL(slug) + '/template-update', { dry_run: 'true' }), { method: 'POST', body, signal })
    return { merge: parse(answer.text) as unknown as Merge, etag: answer.etag }
  },
})
