import { useMemo, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { Failure } from '../api/client'
import type { Value } from '../api/lossless'
import { useMerge, useTemplate, type Merge } from '../api/templates'
import { useWholeWorkflow, workflowURL } from '../api/workflow'
import { useWrite } from '../api/write'
import type { Change } from '../diff/changes'
import { Title } from '../frame/Frame'
import { workflowPath } from '../routes'
import { Act } from '../ui/Act'
import { Changes } from '../ui/Changes'
import { Empty, Loading, Problem } from '../ui/Problem'
import { issuesOf, SchemaForm, useValueForm, type Issue } from '../ui/SchemaForm'
import { ConflictCard } from './Conflict'
import { keyOf, resolutionsOf, type Take } from './resolutions'
import { strings } from './strings'
import './style.css'

const kept: Take = { take: 'edited', text: '' }

// Update merges the newest version of its template into a workflow. What comes is the server's
// own dry run with the decisions made so far; it ends in a version that is not published.
export function Update({ slug }: { slug: string }) {
  const [, navigate] = useLocation()
  const workflow = useWholeWorkflow(slug)
  const w = workflow.data?.workflow
  const template = useTemplate(w?.template?.id ?? '', Boolean(w?.template))
  const [takes, setTakes] = useState(new Map<string, Take>())
  const [places, setPlaces] = useState(new Map<string, Merge['conflicts'][number]>())
  const [parameters, setParameters] = useState<string | null>(null)
  const resolutions = resolutionsOf(takes)
  const [sent, setSent] = useState('[]')
  if (resolutions !== null && resolutions !== sent) setSent(resolutions)
  const body = `{${parameters === null ? '' : `"parameters":${parameters},`}"resolutions":${sent}}`
  const merge = useMerge(slug, body, Boolean(w?.template))
  const write = useWrite<Merge>(['workflow', 'workflows', 'versions', 'merge', 'installed'], (a) => navigate(w && a.data.version > w.version ? `${workflowPath(slug)}/compare/${w.version}/${a.data.version}` : workflowPath(slug)))
  // A conflict that is decided is not in the answer any more, and stays in sight here.
  const fresh = (merge.data?.merge.conflicts ?? []).filter((c) => !places.has(keyOf(c)))
  if (fresh.length) setPlaces(new Map([...places, ...fresh.map((c) => [keyOf(c), c] as const)]))

  const title = <Title text={strings.update}><Link href={workflowPath(slug)} className="crumb">{w?.name ?? slug}</Link></Title>
  if (workflow.error) return <>{title}<Problem error={workflow.error} retry={() => void workflow.refetch()} /></>
  if (!w) return <Loading />
  if (!w.template) return <>{title}<Empty title={strings.noTemplate}><p><Link href={workflowPath(slug)}>{w.name}</Link></p></Empty></>
  const refused = merge.error instanceof Failure && merge.error.code === 'invalid_parameters' ? merge.error : null
  const m = merge.data?.merge
  const outdated = write.error instanceof Failure && write.error.status === 412
  return (
    <>
      {title}
      {refused && template.data ? <Parameters schema={template.data.parameters} initial={workflow.data?.parameters} issues={issuesOf(refused.body)} onUse={setParameters} />
        : merge.error ? <Problem error={merge.error} retry={() => void merge.refetch()} /> : null}
      {!merge.error && m ? m.template_version === m.previous_template_version && m.changes.length === 0 ? <Empty title={strings.upToDate}><p><Link href={workflowPath(slug)}>{w.name}</Link></p></Empty> : (
        <div className="update">
          <p className="faint">{strings.from(m.previous_template_version, m.template_version, template.data?.name ?? '')}</p>
          {places.size ? (
            <section aria-labelledby="conflicts-title"><h2 id="conflicts-title">{strings.conflicts}</h2><p className="faint">{strings.conflictsHelp}</p>
              {[...places].map(([key, c]) => <ConflictCard key={key} c={c} take={takes.get(key) ?? kept} onTake={(t) => setTakes(new Map([...takes, [key, t]]))} />)}
            </section>
          ) : null}
          <section aria-labelledby="changes-title"><h2 id="changes-title">{strings.changes}</h2><p>{m.changes.length ? m.summary : strings.noChanges}</p><Changes changes={m.changes as Change[]} /></section>
          {write.error ? outdated ? <p className="problem" role="alert">{strings.changed}</p> : <Problem error={write.error} /> : null}
          <div>
            <p className="faint">{strings.saveHelp}</p>
            <Act can={w.can} needs="edit" look="primary" busy={write.isPending || merge.isPlaceholderData} not={resolutions === null ? strings.value : undefined}
              onClick={() => write.mutate({ path: workflowURL(slug) + '/template-update', body, etag: merge.data?.etag }, { onError: () => void merge.refetch() })}>{strings.save}</Act>
          </div>
        </div>
      ) : merge.isLoading ? <Loading /> : null}
    </>
  )
}

function Parameters({ schema, initial, issues, onUse }: { schema: Value; initial: Value | undefined; issues: Issue[]; onUse: (json: string) => void }) {
  const form = useValueForm(schema, initial)
  const stable = useMemo(() => issues, [JSON.stringify(issues)])
  return (
    <section className="install-form" aria-labelledby="parameters-title">
      <h2 id="parameters-title">{strings.newParameters}</h2>
      <SchemaForm form={form} issues={stable} label={strings.parameters} />
      <p><button type="button" className="primary" disabled={form.json === null} onClick={() => form.json !== null && onUse(form.json)}>{strings.retry}</button></p>
    </section>
  )
}
