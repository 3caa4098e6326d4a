import { call } from '../api/client'
import { readText, readVersion, workflowAPI, type Source, type WorkflowHead } from '../api/versions'
import type { Actor } from '../api/queries'

export interface Draft { etag: string; base_version: number; base_is_latest: boolean; updated_at: string; source: Source; owner?: Actor }

// Start is what the editor begins with: the caller's draft, or the text of the latest version.
export interface Start { workflow: WorkflowHead; source: Source; base: number; draft: Draft | null; others: { owner?: Actor; updated_at: string }[] }

// readDraft reads the caller's draft. That there is one is seen in the list of everyone's, so that
// none is no error.
export async function readDraft(slug: string, me: string, signal?: AbortSignal): Promise<{ mine: Draft | null; others: Start['others'] }> {
  const options = signal ? { signal } : {}
  const list = (await call<{ drafts: { owner?: Actor; updated_at: string }[] }>(workflowAPI(slug) + '/draft?of=all&limit=100', options)).data.drafts
  const others = list.filter((d) => d.owner?.id !== me)
  if (others.length === list.length) return { mine: null, others }
  const answer = await call<Draft>(workflowAPI(slug) + '/draft', options)
  return { mine: { ...answer.data, etag: answer.etag || answer.data.etag }, others }
}

// readSource is a version's text and the syntax that it is in.
export async function readSource(slug: string, version: number, signal?: AbortSignal): Promise<Source> {
  const whole = await readVersion(slug, version, signal)
  return whole.source ?? { format: 'yaml', text: await readText(slug, version, signal) }
}

export async function load(slug: string, me: string, signal?: AbortSignal): Promise<Start> {
  const workflow = (await call<{ workflow: WorkflowHead }>(workflowAPI(slug), signal ? { signal } : {})).data.workflow
  const { mine, others } = await readDraft(slug, me, signal)
  if (mine) return { workflow, source: mine.source, base: mine.base_version, draft: mine, others }
  return { workflow, source: await readSource(slug, workflow.latest_version, signal), base: workflow.latest_version, draft: null, others }
}
