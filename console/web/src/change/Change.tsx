import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Link } from 'wouter'
import { call, Failure } from '../api/client'
import { parse } from '../api/lossless'
import { useVersions, useWorkflow, workflowAPI, type Preview, type WorkflowHead } from '../api/versions'
import { useWrite } from '../api/write'
import { to, workflowPath } from '../routes'
import { Changes, NoFunctional } from '../ui/Changes'
import { Dialog } from '../ui/Dialog'
import { Loading } from '../ui/Problem'
import { Impact, needsTick } from './Impact'
import { Refusal } from './Refusal'
import { strings } from './strings'
import './style.css'

// Write is what is about to happen: a version becomes the active one, an old definition becomes
// a new version, or the caller's draft becomes a version.
export type Write = { kind: 'publish'; version: number } | { kind: 'rollback'; version: number } | { kind: 'save' }

interface Props {
  slug: string
  write: Write
  onClose: () => void
  onDone?: (w: WorkflowHead, published: boolean) => void
  // onOutdated takes over when another version came since the draft's base.
  onOutdated?: () => void
}

function request(slug: string, write: Write, text: string, publish: boolean) {
  const path = workflowAPI(slug)
  if (write.kind === 'publish') return { path: `${path}/versions/${write.version}/publish`, method: 'POST', body: text ? { reason: text } : {} }
  if (write.kind === 'rollback') return { path: `${path}/rollback`, method: 'POST', body: { version: write.version, ...(text ? { change_summary: text } : {}) } }
  return { path, method: 'PUT', body: { from_draft: true, publish, ...(text ? { change_summary: text } : {}) } }
}

const cameFirst = (e: unknown) => e instanceof Failure && (e.status === 412 || e.code === 'draft_outdated')

// usePreview is the server's dry run of the write, with the ETag that the write will name.
function usePreview(slug: string, write: Write) {
  return useQuery({
    queryKey: ['preview', slug, write], staleTime: 0, gcTime: 0, refetchOnWindowFocus: false, retry: false,
    queryFn: async ({ signal }) => {
      const r = request(slug, write, '', true)
      const answer = await call(to(r.path, { dry_run: 'true' }), { method: r.method, body: r.body, signal })
      return { preview: parse(answer.text) as unknown as Preview, etag: answer.etag }
    },
  })
}

// Line says from which version to which.
function Line({ slug, write }: { slug: string; write: Write }) {
  const workflow = useWorkflow(slug).data?.workflow
  if (!workflow) return null
  const next = write.kind === 'publish' ? `v${write.version}` : write.kind === 'rollback' ? `v${workflow.latest_version + 1}, as v${write.version} was` : `v${workflow.latest_version + 1}`
  return (
    <p className="change-line">Active now <b>v{workflow.version}</b> <span aria-hidden="true">→</span> <b>{next}</b>
      {write.kind === 'save' ? null : <Link href={`${workflowPath(slug)}/compare/${workflow.version}/${write.version}`}>Compare in full</Link>}</p>
  )
}

// Newer says whose change came first.
function Newer({ slug, again }: { slug: string; again: () => void }) {
  const newest = useVersions(slug).data?.versions[0]
  return (
    <div className="problem" role="alert">
      <p>{strings.newer}{newest ? ` The newest version is v${newest.version}, by ${newest.actor?.name ?? newest.created_by}.` : ''}</p>
      <button type="button" onClick={again}>{strings.look}</button>
    </div>
  )
}

// Change asks before a version is saved, published or gone back to. It shows what the server says
// that it would mean, and sends what was looked at: if something changed since, nothing happens.
export function Change({ slug, write, onClose, onDone, onOutdated }: Props) {
  const preview = usePreview(slug, write)
  const [text, setText] = useState('')
  const [ticked, setTicked] = useState(false)
  const send = useWrite<{ workflow: WorkflowHead }>(['workflow', 'versions', 'workflows'])
  const outdated = write.kind === 'save' && (cameFirst(preview.error) || cameFirst(send.error))
  useEffect(() => { if (outdated) onOutdated?.() }, [outdated, onOutdated])
  const again = () => { send.reset(); setTicked(false); void preview.refetch() }
  const submit = (publish: boolean) => send.mutate({ ...request(slug, write, text.trim(), publish), etag: preview.data?.etag }, {
    onSuccess: (answer) => { onDone?.(answer.data.workflow, publish); onClose() },
  })
  const found = preview.data?.preview
  const tick = found ? needsTick(found) : false
  const ready = Boolean(found) && !preview.isFetching && !send.isPending
  const same = write.kind === 'save' && found?.changes.length === 0 && !found.source_changed
  const title = write.kind === 'save' ? strings.title.save(slug) : strings.title[write.kind](slug, write.version)
  const verb = write.kind === 'rollback' ? 'Roll back' : write.kind === 'publish' ? `Publish v${write.version}` : 'Save and publish'
  return (
    <Dialog title={title} onClose={onClose} wide>
      <Line slug={slug} write={write} />
      {write.kind === 'rollback' ? <p className="faint">{strings.rollbackHelp}</p> : null}
      {preview.isPending ? <Loading /> : null}
      {preview.error && !outdated ? <Refusal error={preview.error} retry={again} /> : null}
      {found ? <>
        <p className="summary">{found.summary}</p>
        {found.source_changed ? <p className="banner">{strings.textOnly}</p> : <NoFunctional summary={found.summary} changes={found.changes} />}
        <div className="change-list" tabIndex={0} role="region" aria-label="What changes"><Changes changes={found.changes} /></div>
        <Impact slug={slug} preview={found} />
        {tick ? <label className="tick"><input type="checkbox" checked={ticked} onChange={(e) => setTicked(e.target.checked)} /> {strings.accept}</label> : null}
        <label className="field">{write.kind === 'publish' ? strings.reason : strings.summary}
          <input value={text} onChange={(e) => setText(e.target.value)} maxLength={500} placeholder={write.kind === 'rollback' ? `Rollback to version ${write.version}` : ''} />
          <span className="faint">{write.kind === 'publish' ? strings.reasonHelp : strings.summaryHelp}</span></label>
      </> : null}
      {send.error && !outdated ? cameFirst(send.error) ? <Newer slug={slug} again={again} /> : <Refusal error={send.error} /> : null}
      <div className="foot">
        <button type="button" onClick={onClose}>{strings.cancel}</button>
        {write.kind === 'save' ? <button type="button" disabled={!ready || same} onClick={() => submit(false)}>{strings.saveOnly}</button> : null}
        <button type="button" className="primary" disabled={!ready || (tick && !ticked)} onClick={() => submit(true)}>{verb}</button>
      </div>
    </Dialog>
  )
}
