import { useMutation, useQuery } from '@tanstack/react-query'
import { useMemo, useState, type FormEvent } from 'react'
import { Link, useLocation } from 'wouter'
import { call, Failure } from '../api/client'
import { print } from '../api/lossless'
import type { Action } from '../api/queries'
import { previewInstall, templateURL, type InstallPreview, type TemplateWhole } from '../api/templates'
import { workflowURL } from '../api/workflow'
import { useWrite } from '../api/write'
import { workflowPath } from '../routes'
import { Act } from '../ui/Act'
import { DefinitionGraph } from '../ui/DefinitionGraph'
import { Dialog } from '../ui/Dialog'
import { Problem } from '../ui/Problem'
import { issuesOf, SchemaForm, useValueForm } from '../ui/SchemaForm'
import { slugOf } from './slug'
import { strings } from './strings'

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
const slugCodes = ['slug_taken', 'invalid_slug']

// useWords is a cron expression as the server says it.
const useWords = (cron: string | undefined) => useQuery({
  queryKey: ['words', cron], enabled: Boolean(cron), staleTime: Infinity,
  queryFn: async () => (await call<{ description: string }>('/api/workflows/schedules/preview', { method: 'POST', body: { cron_expression: cron, timezone: zone, count: 1 } })).data.description,
})

// Install makes a workflow of a template. Parameters that are left empty have the template's
// defaults, and follow them.
export function Install({ t, can }: { t: TemplateWhole; can: Action[] | undefined }) {
  const [, navigate] = useLocation()
  const [name, setName] = useState(t.name)
  const [slug, setSlug] = useState<string | null>(null) // null: it follows the name
  const [scheduled, setScheduled] = useState(false)
  const words = useWords(t.suggested_schedule)
  const form = useValueForm(t.parameters)
  const chosen = slug ?? slugOf(name)
  const body = `{"name":${JSON.stringify(name)},${chosen ? `"slug":${JSON.stringify(chosen)},` : ''}"parameters":${form.json ?? 'null'}}`
  const schedule = useWrite(['schedules', 'workflows'], () => navigate(workflowPath(chosen)))
  const install = useWrite<{ workflow_id: string }>(['workflows', 'installed'], (a) => {
    if (scheduled) schedule.mutate({ path: workflowURL(a.data.workflow_id) + '/schedules', body: { cron_expression: t.suggested_schedule, timezone: zone } })
    else navigate(workflowPath(chosen || a.data.workflow_id))
  })
  const preview = useMutation({ mutationFn: () => previewInstall(t.id, body) })
  const error = install.error ?? preview.error
  const issues = useMemo(() => (error instanceof Failure && error.code === 'invalid_parameters' ? issuesOf(error.body) : []), [error])
  const slugError = error instanceof Failure && slugCodes.includes(error.code) ? error.message : ''
  const not = form.json === null ? strings.notJSON : undefined
  const submit = () => { preview.reset(); install.mutate({ path: templateURL(t.id) + '/install', body }) }
  if (schedule.error) return <><p>{strings.scheduleFailed} <Link href={workflowPath(chosen)}>{strings.toWorkflow}</Link></p><Problem error={schedule.error} /></>
  return (
    <form onSubmit={(e: FormEvent) => { e.preventDefault(); if (!not && can?.includes('edit') && !install.isPending) submit() }}>
      <SchemaForm form={form} issues={issues} label={strings.parameters} />
      <div className="field"><label className="field-label" htmlFor="install-name">{strings.name}</label><input id="install-name" value={name} maxLength={200} autoComplete="off" onChange={(e) => setName(e.target.value)} /></div>
      <div className={slugError ? 'field wrong' : 'field'}>
        <label className="field-label" htmlFor="install-slug">{strings.slug}</label>
        <input id="install-slug" value={chosen} maxLength={64} autoComplete="off" spellCheck={false} aria-invalid={slugError !== ''} aria-describedby="install-slug-about" onChange={(e) => setSlug(e.target.value)} />
        <p id="install-slug-about" className="field-note"><span className="faint">{strings.slugHelp}</span>{slugError ? <span className="tone-red"> {slugError}</span> : null}</p>
      </div>
      {t.suggested_schedule ? (
        <div className="field">
          <label className="tpl-check"><input type="checkbox" checked={scheduled} onChange={(e) => setScheduled(e.target.checked)} /> {strings.schedule(words.data ?? t.suggested_schedule)}</label>
          <p className="field-note faint"><code>{t.suggested_schedule}</code> {strings.scheduleHelp(zone)}</p>
        </div>
      ) : null}
      {error && issues.length === 0 && !slugError ? <Problem error={error} /> : null}
      <div className="foot start">
        <Act can={can} needs="edit" look="primary" busy={install.isPending || schedule.isPending} not={not} onClick={submit}>{strings.install}</Act>
        <Act can={can} needs="edit" busy={preview.isPending} not={not} onClick={() => { install.reset(); preview.mutate() }}>{strings.preview}</Act>
      </div>
      {preview.data ? <Preview preview={preview.data} onClose={preview.reset} /> : null}
    </form>
  )
}

function Preview({ preview, onClose }: { preview: InstallPreview; onClose: () => void }) {
  return (
    <Dialog title={strings.previewTitle} onClose={onClose} wide>
      {preview.diagnostics.length === 0 ? <p className="tone-green">{strings.noFindings}</p> : (
        <ul className="plainlist">{preview.diagnostics.map((d, i) => <li key={i} className={d.severity === 'error' ? 'tone-red' : 'tone-amber'}>{d.message}</li>)}</ul>
      )}
      <DefinitionGraph definition={preview.definition} label={strings.previewTitle} />
      <details className="whole"><summary>{strings.wholeDefinition}</summary><pre tabIndex={0}>{print(preview.definition)}</pre></details>
    </Dialog>
  )
}
