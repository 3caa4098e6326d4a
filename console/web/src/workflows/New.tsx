import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, Redirect, useLocation, useSearch } from 'wouter'
import { call, Failure } from '../api/client'
import { useInfo, type Action } from '../api/queries'
import { useWrite } from '../api/write'
import { Title } from '../frame/Frame'
import { to, workflowPath } from '../routes'
import { Act } from '../ui/Act'
import { Problem } from '../ui/Problem'
import { strings } from './strings'
import { recognize, starter } from './text'
import '../ui/schema/style.css'
import './style.css'

interface Finding { severity: string; message: string; line?: number; column?: number }

const findingsOf = (e: unknown): Finding[] => (e instanceof Failure && Array.isArray(e.body['diagnostics']) ? (e.body['diagnostics'] as Finding[]) : [])

function Findings({ list }: { list: Finding[] }) {
  return <ul className="plainlist wf-findings">{list.map((d, i) => <li key={i}><span className={d.severity === 'error' ? 'tone-red' : 'tone-amber'}>{d.severity}</span> {d.line ? <code className="faint">{d.line}:{d.column}</code> : null} {d.message}</li>)}</ul>
}

// NewWorkflow makes a workflow of a text: written here, pasted, or a file. Files of other products
// are named by the server's check, with how their parts are written here.
export function NewWorkflow() {
  const template = new URLSearchParams(useSearch()).get('template')
  const [text, setText] = useState(starter)
  const can = useInfo().data?.can
  const what = recognize(text)
  if (template) return <Redirect to={`/templates/${template}`} replace />
  return (
    <>
      <Title text={strings.newTitle} />
      <p className="faint">{strings.writing} <Link href="/templates">{strings.fromTemplate}</Link></p>
      <div className="new">
        <div className="field">
          <label htmlFor="new-text" className="field-label">{strings.definition}</label>
          <textarea id="new-text" rows={20} spellCheck={false} value={text} onChange={(e) => setText(e.target.value)} />
        </div>
        <label className="file">{strings.file} <input type="file" accept=".yaml,.yml,.json,.jsonl,.ndjson,text/plain" onChange={(e) => { void e.target.files?.[0]?.text().then(setText) }} /></label>
        {what.kind === 'export' ? <Import key={text} text={text} count={what.count} can={can} /> : <Create text={text} format={what.format} can={can} />}
      </div>
    </>
  )
}

function Create({ text, format, can }: { text: string; format: 'yaml' | 'json'; can: Action[] | undefined }) {
  const [, navigate] = useLocation()
  const [slug, setSlug] = useState('')
  const source = { format, text }
  const check = useMutation({ mutationFn: async (of: string) => ({ of, found: (await call<{ diagnostics: Finding[] }>('/api/workflows/validate', { method: 'POST', body: { source: { format, text: of } } })).data.diagnostics }) })
  const write = useWrite<{ workflow: { slug: string } }>(['workflows'], (a) => navigate(workflowPath(a.data.workflow.slug)))
  const refused = findingsOf(write.error)
  const checked = check.data?.of === text ? check.data.found : null
  return (
    <>
      <div className="field"><label htmlFor="new-slug" className="field-label">{strings.slug} <span className="faint">optional</span></label><input id="new-slug" value={slug} maxLength={64} spellCheck={false} autoComplete="off" onChange={(e) => setSlug(e.target.value)} aria-describedby="new-slug-about" /><p id="new-slug-about" className="field-note faint">{strings.slugFromName}</p></div>
      <div role="status">{checked ? checked.length ? <Findings list={checked} /> : <p className="tone-green">{strings.checked}</p> : null}</div>
      {refused.length ? <Findings list={refused} /> : write.error || check.error ? <Problem error={write.error ?? check.error} /> : null}
      <div className="foot start">
        <Act can={can} needs="edit" look="primary" busy={write.isPending} onClick={() => { check.reset(); write.mutate({ path: '/api/workflows', body: { source, ...(slug ? { slug } : {}) } }) }}>{strings.create}</Act>
        <button type="button" disabled={check.isPending} onClick={() => { write.reset(); check.mutate(text) }}>{strings.check}</button>
      </div>
    </>
  )
}

interface Imported { imported: { id: string; slug: string }[]; skipped: { slug: string }[] }

function Import({ text, count, can }: { text: string; count: number; can: Action[] | undefined }) {
  const [conflict, setConflict] = useState('')
  const write = useWrite<Imported>(['workflows'])
  const done = write.data?.data
  return (
    <>
      <p>{strings.exportFound(count)}</p>
      <label className="field">{strings.onConflict} <select value={conflict} onChange={(e) => setConflict(e.target.value)}><option value="">{strings.end}</option><option value="skip">{strings.skip}</option><option value="rename">{strings.rename}</option></select></label>
      {write.error ? <Problem error={write.error} /> : null}
      <div role="status">{done ? <><p>{strings.imported(done.imported.length)}</p><ul className="plainlist">{done.imported.map((w) => <li key={w.id}><Link href={workflowPath(w.slug)}>{w.slug}</Link></li>)}{done.skipped.map((w) => <li key={w.slug} className="faint">{strings.left(w.slug)}</li>)}</ul></> : null}</div>
      <div className="foot start"><Act can={can} needs="edit" look="primary" busy={write.isPending} not={done ? strings.saved : undefined} onClick={() => write.mutate({ path: to('/api/workflows/import', { on_conflict: conflict || undefined }), body: text })}>{strings.importNow}</Act></div>
    </>
  )
}
