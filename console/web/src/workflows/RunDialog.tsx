import { useMemo, useState, type FormEvent } from 'react'
import { useLocation } from 'wouter'
import { useMutation } from '@tanstack/react-query'
import { call, Failure } from '../api/client'
import { parse, print, type Value } from '../api/lossless'
import { readInput, useDefinition, useLastRuns, useVersionList, workflowURL, type DryRun, type WorkflowWhole } from '../api/workflow'
import { useWrite } from '../api/write'
import { runPath } from '../routes'
import { Act } from '../ui/Act'
import { StateChip } from '../ui/Chip'
import { Dialog } from '../ui/Dialog'
import { Loading, Problem } from '../ui/Problem'
import { issuesOf, SchemaForm, useValueForm } from '../ui/SchemaForm'
import { whyNot } from './Head'
import { strings } from './strings'

const inputOf = (definition: Value | undefined): Value | undefined => (definition as { input?: Value } | undefined)?.input

// RunDialog starts a run of one version of a workflow. Its Idempotency-Key is made with it, so
// that a double click starts one.
export function RunDialog({ w, onClose }: { w: WorkflowWhole; onClose: () => void }) {
  const [version, setVersion] = useState(w.version)
  const [initial, setInitial] = useState<{ value?: Value; from: number }>({ from: 0 })
  const versions = useVersionList(w.slug)
  const other = useDefinition(w.slug, version, version !== w.definition_version)
  const definition = version === w.definition_version ? w.definition : other.data
  const list = versions.data ?? []
  const choices = [...list.filter((v) => v.active), ...list.filter((v) => !v.active)]
  const last = useLastRuns(w.slug, 1).data?.runs[0]
  const reuse = useMutation({ mutationFn: () => readInput(last?.id ?? ''), onSuccess: (value) => setInitial((i) => ({ from: i.from + 1, ...(value === undefined ? {} : { value }) })) })
  return (
    <Dialog title={strings.runTitle(w.name)} onClose={onClose} wide>
      <div className="run-head">
        <label>{strings.version} <select value={version} onChange={(e) => setVersion(Number(e.target.value))}>
          {choices.length === 0 ? <option value={w.version}>v{w.version} · {strings.activeVersion}</option> : null}
          {choices.map((v) => <option key={v.version} value={v.version}>v{v.version}{v.label ? ` ${v.label}` : ''}{v.active ? ` · ${strings.activeVersion}` : v.change_summary ? ` · ${v.change_summary.slice(0, 60)}` : ''}</option>)}
        </select></label>
        <button type="button" disabled={!last || reuse.isPending} title={last ? undefined : strings.noLastInput} onClick={() => reuse.mutate()}>{strings.lastInput}</button>
      </div>
      {reuse.error ? <Problem error={reuse.error} /> : null}
      {other.error ? <Problem error={other.error} retry={() => void other.refetch()} /> : null}
      {definition === undefined ? <Loading /> : <RunForm key={`${version} ${initial.from}`} w={w} version={version} schema={inputOf(definition)} initial={initial.value} onClose={onClose} />}
    </Dialog>
  )
}

function RunForm({ w, version, schema, initial, onClose }: { w: WorkflowWhole; version: number; schema: Value | undefined; initial: Value | undefined; onClose: () => void }) {
  const [, navigate] = useLocation()
  const form = useValueForm(schema, initial)
  const start = useWrite<{ run_id: string }>(['runs', 'workflows'], (a) => navigate(runPath(a.data.run_id)))
  const body = `{"input_data":${form.json ?? 'null'},"version":${version}}`
  const dry = useMutation({ mutationFn: async () => parse((await call(workflowURL(w.slug) + '/dry-run', { method: 'POST', body })).text) as unknown as DryRun })
  const error = start.error ?? dry.error
  const issues = useMemo(() => (error instanceof Failure ? issuesOf(error.body) : []), [error])
  const unsent = form.json === null ? strings.notJSON : undefined
  const submit = () => { dry.reset(); start.mutate({ path: workflowURL(w.slug) + '/run', body }) }
  return (
    <form onSubmit={(e: FormEvent) => { e.preventDefault(); if (!unsent && !start.isPending && w.can.includes('execute')) submit() }}
      onKeyDown={(e) => { if (e.key === 'Enter' && (e.metaKey || e.ctrlKey)) e.currentTarget.requestSubmit() }}>
      {schema === undefined && !initial ? <p className="faint">{strings.noInput}</p> : null}
      <SchemaForm form={form} issues={issues} label={strings.input} />
      {error && issues.length === 0 ? <Problem error={error} /> : null}
      {dry.data ? <DryResult dry={dry.data} /> : null}
      <div className="foot">
        <button type="button" className="bare" onClick={onClose}>Cancel</button>
        <Act can={w.can} needs="execute" not={unsent} busy={dry.isPending} onClick={() => { start.reset(); dry.mutate() }}>{strings.dryRun}</Act>
        <Act can={w.can} needs="execute" not={whyNot(w) ?? unsent} busy={start.isPending} look="primary" onClick={submit}>{strings.start}</Act>
      </div>
    </form>
  )
}

// DryResult is how the run would go.
function DryResult({ dry }: { dry: DryRun }) {
  return (
    <section className="dry" aria-label={strings.dryRun} role="status">
      <p>{strings.dryStatus} <StateChip state={dry.status} /> {dry.error ? <span className="tone-red">{dry.error.message}</span> : null}</p>
      <ol className="plainlist">{dry.steps.map((s, i) => <li key={i}><StateChip state={s.status} /> {s.step_id} <span className="faint">{s.type}</span>{s.error ? <span className="tone-red"> {s.error.message}</span> : null}</li>)}</ol>
      {dry.output === null ? null : <><h3>{strings.output}</h3><pre tabIndex={0}>{print(dry.output)}</pre></>}
      <p className="faint">{strings.dryRunHelp}</p>
    </section>
  )
}
