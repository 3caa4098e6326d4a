import { useState, type FormEvent, type ReactNode } from 'react'
import { Link, useLocation } from 'wouter'
import { call, Failure } from '../api/client'
import { useSchedulesOf, workflowURL, type WorkflowWhole } from '../api/workflow'
import { useWorkflows } from '../api/queries'
import { useWrite } from '../api/write'
import { to, workflowPath } from '../routes'
import { Act } from '../ui/Act'
import { StateChip } from '../ui/Chip'
import { Dialog } from '../ui/Dialog'
import { Problem } from '../ui/Problem'
import { save } from '../ui/save'
import { strings } from './strings'

const refresh = ['workflow', 'workflows']

// Refused is a write's error; what somebody else changed meanwhile is said as such.
function Refused({ error }: { error: unknown }) {
  if (!error) return null
  return error instanceof Failure && error.status === 412 ? <p className="problem" role="alert">{strings.conflict}</p> : <Problem error={error} />
}

function Setting({ title, help, children }: { title: string; help?: string; children: ReactNode }) {
  return <section className="setting"><div><h2>{title}</h2>{help ? <p className="faint">{help}</p> : null}</div><div className="setting-body">{children}</div></section>
}

function Tags({ w, etag }: { w: WorkflowWhole; etag: string }) {
  const [text, setText] = useState(w.tags.join(', '))
  const write = useWrite(refresh)
  const tags = [...new Set(text.split(',').map((t) => t.trim()).filter(Boolean))]
  const changed = tags.join() !== w.tags.join()
  const send = () => write.mutate({ path: workflowURL(w.slug), method: 'PUT', body: { tags }, etag })
  return (
    <form onSubmit={(e: FormEvent) => { e.preventDefault(); if (changed && w.can.includes('edit')) send() }}>
      <input aria-label={strings.tags} value={text} readOnly={!w.can.includes('edit')} onChange={(e) => setText(e.target.value)} />
      <Refused error={write.error} />
      <Act can={w.can} needs="edit" busy={write.isPending || !changed} onClick={send}>{strings.saveTags}</Act>
      {write.isSuccess && !changed ? <span role="status" className="faint">{strings.saved}</span> : null}
    </form>
  )
}

const next: Record<string, string[]> = { active: ['paused', 'archived'], paused: ['active', 'archived'], archived: ['active'], draft: ['active', 'archived'] }

function Status({ w, etag }: { w: WorkflowWhole; etag: string }) {
  const write = useWrite(refresh)
  return (
    <>
      <p><StateChip state={w.status} /> <span className="faint">{strings.statusHelp[w.status]}</span></p>
      <div className="buttons">{(next[w.status] ?? ['active']).map((s) => (
        <Act key={s} can={w.can} needs="edit" busy={write.isPending} onClick={() => write.mutate({ path: workflowURL(w.slug) + '/status', method: 'PATCH', body: { status: s }, etag })}>{strings.setStatus(s)}</Act>
      ))}</div>
      <Refused error={write.error} />
    </>
  )
}

function Delete({ w, etag, onClose }: { w: WorkflowWhole; etag: string; onClose: () => void }) {
  const [, navigate] = useLocation()
  const [typed, setTyped] = useState('')
  const [force, setForce] = useState(false)
  const listed = useWorkflows({ q: w.slug }).data?.workflows.find((x) => x.id === w.id)
  const schedules = useSchedulesOf(w.slug).data
  const write = useWrite(['workflows'], () => navigate('/workflows'))
  const open = listed?.open_runs ?? 0
  return (
    <Dialog title={strings.deleting(w.name)} onClose={onClose}>
      <p>{strings.deleteHelp}</p>
      <ul><li>{strings.deleteOpen(open)}{open > 0 ? <label className="wf-check"><input type="checkbox" checked={force} onChange={(e) => setForce(e.target.checked)} /> {strings.force}</label> : null}</li>
        <li>{strings.deleteSchedules(schedules?.total ?? schedules?.schedules.length ?? 0)}</li></ul>
      <label className="field">{strings.typeSlug(w.slug)} <input value={typed} autoComplete="off" spellCheck={false} onChange={(e) => setTyped(e.target.value)} /></label>
      <Refused error={write.error} />
      <div className="foot">
        <button type="button" className="bare" onClick={onClose}>Cancel</button>
        <Act can={w.can} needs="edit" look="danger" busy={write.isPending} not={typed === w.slug ? undefined : strings.typeSlug(w.slug)}
          onClick={() => write.mutate({ path: to(workflowURL(w.slug), { force: force ? 'true' : undefined }), method: 'DELETE', etag })}>{strings.deleteNow}</Act>
      </div>
    </Dialog>
  )
}

// Settings are what stands beside a workflow's definition.
export function Settings({ w, etag }: { w: WorkflowWhole; etag: string }) {
  const [deleting, setDeleting] = useState(false)
  const [error, setError] = useState<unknown>(null)
  async function download() {
    setError(null)
    try {
      save(`${w.slug}.jsonl`, (await call(to('/api/workflows/export', { id: w.id }))).text)
    } catch (e) {
      setError(e)
    }
  }
  return (
    <div className="settings">
      <Setting title={strings.name} help={strings.nameHelp}><p>{w.name}</p><p><Link href={`${workflowPath(w.slug)}/edit`}>{strings.editName}</Link></p></Setting>
      <Setting title={strings.slug}><p><code>{w.slug}</code></p><p className="faint"><code>{w.id}</code></p></Setting>
      <Setting title={strings.tags} help={strings.tagsHelp}><Tags key={w.tags.join()} w={w} etag={etag} /></Setting>
      <Setting title={strings.status}><Status w={w} etag={etag} /></Setting>
      <Setting title={strings.exportTitle} help={strings.exportHelp}>{error ? <Problem error={error} /> : null}<button type="button" onClick={() => void download()}>{strings.exportNow}</button></Setting>
      <Setting title={strings.deleteTitle} help={strings.deleteHelp}><Act can={w.can} needs="edit" look="danger" onClick={() => setDeleting(true)}>{strings.deleteNow}</Act></Setting>
      {deleting ? <Delete w={w} etag={etag} onClose={() => setDeleting(false)} /> : null}
    </div>
  )
}
