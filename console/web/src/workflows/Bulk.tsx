import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState, type FormEvent } from 'react'
import { previewBulk, useJob } from '../api/jobs'
import type { Workflow } from '../api/queries'
import { useWrite } from '../api/write'
import { stateOf } from '../status/states'
import { Dialog } from '../ui/Dialog'
import { Problem } from '../ui/Problem'
import { strings } from './strings'

const path = '/api/workflows/bulk'
const listOf = (text: string) => [...new Set(text.split(',').map((t) => t.trim()).filter(Boolean))]

// Bulk is the bar above a selection.
export function Bulk({ chosen, clear }: { chosen: Workflow[]; clear: () => void }) {
  const [action, setAction] = useState<'status' | 'tags' | null>(null)
  return (
    <div className="bulk" role="group" aria-label={strings.selected(chosen.length)}>
      <span>{strings.selected(chosen.length)}</span>
      <button type="button" onClick={() => setAction('status')}>{strings.changeStatus}</button>
      <button type="button" onClick={() => setAction('tags')}>{strings.changeTags}</button>
      <button type="button" className="bare" onClick={clear}>{strings.clearSelection}</button>
      {action ? <Many action={action} chosen={chosen} onClose={(done) => { setAction(null); if (done) clear() }} /> : null}
    </div>
  )
}

// Many asks what to change, shows the server's dry run, and follows the job.
function Many({ action, chosen, onClose }: { action: 'status' | 'tags'; chosen: Workflow[]; onClose: (done: boolean) => void }) {
  const [status, setStatus] = useState('paused')
  const [add, setAdd] = useState('')
  const [remove, setRemove] = useState('')
  const [reason, setReason] = useState('')
  const queries = useQueryClient()
  const body = {
    action, workflow_ids: chosen.map((w) => w.id), ...(reason ? { reason } : {}),
    ...(action === 'status' ? { status } : { add_tags: listOf(add), remove_tags: listOf(remove) }),
  }
  const preview = useMutation({ mutationFn: () => previewBulk(path, body) })
  const write = useWrite<{ job_id: string }>([])
  const job = useJob(write.data?.data.job_id).data
  const over = job !== undefined && job.status !== 'running'
  useEffect(() => { if (over) void queries.invalidateQueries({ queryKey: ['workflows'] }) }, [over, queries])
  const edit = (set: (v: string) => void) => (v: string) => { preview.reset(); set(v) }
  const error = write.error ?? preview.error
  const found = preview.data
  return (
    <Dialog title={action === 'status' ? strings.statusOfMany(chosen.length) : strings.tagsOfMany(chosen.length)} onClose={() => onClose(write.isSuccess)}>
      <form onSubmit={(e: FormEvent) => { e.preventDefault(); if (found && found.allowed > 0) write.mutate({ path, body: { ...body, expected: found.matched } }); else preview.mutate() }}>
        <fieldset className="plainset" disabled={write.isPending || write.isSuccess}>
          {action === 'status'
            ? <label className="field">{strings.newStatus} <select value={status} onChange={(e) => edit(setStatus)(e.target.value)}>{['active', 'paused', 'archived'].map((s) => <option key={s} value={s}>{stateOf(s).word}</option>)}</select></label>
            : <><label className="field">{strings.addTags} <input value={add} onChange={(e) => edit(setAdd)(e.target.value)} /></label><label className="field">{strings.removeTags} <input value={remove} onChange={(e) => edit(setRemove)(e.target.value)} /></label></>}
          <label className="field">{strings.reason} <input value={reason} maxLength={500} onChange={(e) => setReason(e.target.value)} /></label>
        </fieldset>
        {error ? <Problem error={error} /> : null}
        <div role="status">
          {found ? <p>{strings.willChange(found.allowed, found.matched)}</p> : null}
          {found?.skipped.length ? <ul>{found.skipped.map((s) => <li key={s.reason}>{strings.skippedBy(s.count, s.reason)}</li>)}</ul> : null}
          {job ? over ? <p>{strings.finished(job.progress.done, job.progress.failed)}</p> : <p>{strings.progress(job.progress.done, job.progress.total)}</p> : null}
        </div>
        <div className="foot">
          {write.isSuccess ? <button type="button" onClick={() => onClose(true)}>{strings.close}</button>
            : found && found.allowed > 0 ? <button type="submit" className="primary" disabled={write.isPending}>{strings.apply(found.allowed)}</button>
              : <button type="submit" className="primary" disabled={preview.isPending}>{strings.look}</button>}
        </div>
      </form>
    </Dialog>
  )
}
