import { useMemo, useState, type FormEvent } from 'react'
import { useLocation, useSearch } from 'wouter'
import { Failure } from '../api/client'
import { parse, type Value } from '../api/lossless'
import { useWorkflows, type Action } from '../api/queries'
import { one, useSchedule, useScheduled, type Schedule } from '../api/schedules'
import { useWrite } from '../api/write'
import { Title } from '../frame/Frame'
import { to } from '../routes'
import { strings } from '../strings'
import { known } from '../time/zone'
import { Act } from '../ui/Act'
import { Loading, Problem } from '../ui/Problem'
import { SchemaForm, issuesOf, useValueForm } from '../ui/SchemaForm'
import { useNow } from '../ui/Time'
import { bodyOf, draftOf, empty, rebase, type Draft } from './draft'
import { Expression, Zone } from './Expression'
import { Preview } from './Preview'
import { Rules } from './Rules'
import { text } from './strings'
import './style.css'

interface Props {
  first: Draft // another one of an edit is the schedule as it is now
  former?: Draft // of an edit
  schema: Value | undefined // of the input
  can: Action[] | undefined
  busy: boolean
  error: unknown
  save: (body: string) => void
  leave: () => void
}

// ScheduleForm edits a draft; what it means is shown beside it at each change.
function ScheduleForm({ first, former, schema, can, busy, error, save, leave }: Props) {
  const [draft, setDraft] = useState(first)
  const [base, setBase] = useState(first)
  if (first !== base) {
    setDraft(rebase(draft, base, first))
    setBase(first)
  }
  const [broken, setBroken] = useState(false)
  const input = useValueForm(schema, first.input ? parse(first.input) : undefined)
  const [untouched] = useState(input.json)
  const now = useNow()
  const set = (change: Partial<Draft>) => setDraft((d) => ({ ...d, ...change }))
  const submit = () => {
    setBroken(input.json === null)
    if (input.json === null) return
    save(bodyOf(input.json === untouched ? draft : { ...draft, input: input.json }, former))
  }
  const refused = error instanceof Failure ? error.code : ''
  const issues = useMemo(() => (error instanceof Failure && error.code === 'invalid_input' ? issuesOf(error.body) : []), [error])
  return (
    <form className="schedule-form" onSubmit={(e: FormEvent) => { e.preventDefault(); submit() }}>
      <div className="columns">
        <section aria-label="When">
          <Expression value={draft.cron} onChange={(cron) => set({ cron })} invalid={refused === 'invalid_cron'} />
          <Zone value={draft.timezone} onChange={(timezone) => set({ timezone })} />
        </section>
        <Preview ask={{ cron_expression: draft.cron, timezone: draft.timezone, dst_gap: draft.gap, dst_repeat: draft.repeat }} against={draft.workflow} now={now} />
      </div>
      <h2>Rules</h2>
      <Rules draft={draft} set={set} />
      <h2>Run</h2>
      <div className="columns">
        <section aria-labelledby="input-title"><h3 id="input-title">Input</h3><SchemaForm form={input} issues={issues} label="Input" /></section>
        <label className="field">Version <input value={draft.version} placeholder="The one that is active at each due time" onChange={(e) => set({ version: e.target.value.trim() })} />
          <span className="faint small">A number or a label; empty for the active one.</span></label>
      </div>
      {broken ? <p className="problem" role="alert">{text.broken}</p> : null}
      {error ? <Problem error={error} /> : null}
      <div className="foot">
        <button type="button" onClick={leave}>{strings.cancel}</button>
        <Act can={can} needs="edit" look="primary" busy={busy} onClick={submit}>{former ? 'Save' : 'Create'}</Act>
      </div>
    </form>
  )
}

// WorkflowChoice asks which workflow a new schedule is of.
function WorkflowChoice() {
  const [, navigate] = useLocation()
  const [q, setQ] = useState('')
  const list = useWorkflows({ q: q || undefined })
  return (
    <>
      <label className="field choice">Workflow <input type="search" autoFocus value={q} placeholder="Name or slug" onChange={(e) => setQ(e.target.value)} /></label>
      {list.error ? <Problem error={list.error} /> : null}
      <ul className="choices">
        {list.data?.workflows.map((w) => <li key={w.id}><button type="button" className="link" onClick={() => navigate(to('/schedules/new', { workflow: w.slug }), { replace: true })}>{w.name}</button> <span className="faint">{w.slug}</span></li>)}
      </ul>
      {list.data?.workflows.length === 0 ? <p className="faint">{strings.noMatch}</p> : null}
    </>
  )
}

export function NewSchedule() {
  const [, navigate] = useLocation()
  const ref = new URLSearchParams(useSearch()).get('workflow') ?? undefined
  const workflow = useScheduled(ref)
  const write = useWrite<{ schedule_id: string }>(['schedules'], (a) => navigate(`/schedules/${a.data.schedule_id}`, { replace: true }))
  const slug = workflow.data?.slug ?? ''
  const first = useMemo(() => {
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone
    return empty(slug, known(own) ? own : 'UTC')
  }, [slug])
  return (
    <>
      <Title text={text.create}>{workflow.data ? <span className="faint">of {workflow.data.name}</span> : null}</Title>
      {!ref ? <WorkflowChoice /> : null}
      {workflow.error ? <Problem error={workflow.error} retry={() => void workflow.refetch()} /> : null}
      {ref && workflow.isLoading ? <Loading /> : null}
      {workflow.data ? (
        <ScheduleForm key={slug} first={first} schema={workflow.data.input} can={workflow.data.can} busy={write.isPending} error={write.error} leave={() => history.back()}
          save={(body) => write.mutate({ path: `/api/workflows/${encodeURIComponent(workflow.data.id)}/schedules`, body })} />
      ) : null}
    </>
  )
}

// EditSchedule keeps the schedule as it was opened: one that someone else has changed since is
// refused, and what was written stays.
export function EditSchedule({ id }: { id: string }) {
  const now = useSchedule(id)
  const [opened, setOpened] = useState(now.data)
  if (!opened && now.data) setOpened(now.data)
  if (!opened) return <><Title text={text.edit} />{now.error ? <Problem error={now.error} retry={() => void now.refetch()} /> : <Loading />}</>
  return <Editing opened={opened} anew={async () => { const got = await now.refetch(); if (got.data) setOpened(got.data) }} />
}

function Editing({ opened, anew }: { opened: { schedule: Schedule; etag: string; input: string }; anew: () => Promise<void> }) {
  const [, navigate] = useLocation()
  const s = opened.schedule
  const back = `/schedules/${s.id}`
  const workflow = useScheduled(s.workflow_id)
  const write = useWrite(['schedules', 'schedule', 'due', 'calendar'], () => navigate(back))
  const outdated = write.error instanceof Failure && write.error.status === 412
  const former = useMemo(() => draftOf(opened.schedule, opened.input), [opened])
  return (
    <>
      <Title text={text.edit}><span className="faint">{s.description}</span></Title>
      {outdated ? <p className="problem" role="alert">{text.changed} <button type="button" onClick={() => { write.reset(); void anew() }}>Read it again</button></p> : null}
      {workflow.isLoading ? <Loading /> : <ScheduleForm first={former} former={former} schema={workflow.data?.input} can={s.can} busy={write.isPending} error={outdated ? null : write.error} leave={() => navigate(back)}
        save={(body) => (body === '{}' ? navigate(back) : write.mutate({ path: one(s.id), method: 'PATCH', body, etag: opened.etag }))} />}
    </>
  )
}
