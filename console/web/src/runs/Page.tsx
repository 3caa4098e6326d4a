import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { values } from '../api/client'
import type { Value } from '../api/lossless'
import { Title } from '../frame/Frame'
import { Answer } from '../ui/Answer'
import { Empty, Loading, Problem } from '../ui/Problem'
import { Pane } from '../ui/Pane'
import { Tabs } from '../ui/Tabs'
import { Time, useNow } from '../ui/Time'
import { Data } from './Data'
import { Events } from './Events'
import { Gantt } from './Gantt'
import { RunGraph } from './Graph'
import { chosen } from './group'
import { Head } from './Head'
import { runAPI, terminal, useLiveRun, type RunDetail, type Step } from './live'
import { Log } from './Log'
import { StepList } from './StepList'
import { StepPanel } from './StepPanel'
import { strings } from './strings'
import { stateOf } from '../status/states'
import { useRunURL, type RunURL, type View } from './url'
import './style.css'

const most = 300 // steps whose graph opens by itself
const views = Object.entries(strings.views) as [View, string][]

// Notice is what matters now: why a run failed, what it waits for, where it stands in the queue.
function Notice({ run, steps, now, onStep }: { run: RunDetail; steps: Step[]; now: number; onStep: (id: string) => void }) {
  const failed = run.error ? steps.find((s) => s.status === 'failed') : undefined
  const asked = terminal.has(run.status) ? [] : steps.filter((s) => s.wait?.request_id)
  const timer = asked.length || terminal.has(run.status) ? undefined : steps.find((s) => s.wait?.until)
  return (
    <>
      {run.error ? (
        <div className="problem" role="alert"><p>{run.error.message}</p><p className="faint"><code>{run.error.code}</code>{failed ? <> · <button type="button" className="link" onClick={() => onStep(failed.step_id)}>{strings.toStep} {failed.name}</button></> : null}</p></div>
      ) : null}
      {asked.slice(0, 3).map((s) => <Answer key={s.wait?.request_id} id={s.wait?.request_id as string} />)}
      {timer ? <p className="notice">{timer.name} {strings.waitsUntil} <Time at={timer.wait?.until} now={now} /></p> : null}
      {run.queue ? <p className="notice">{strings.queued(run.queue.ahead)}</p> : null}
    </>
  )
}

function Picture({ view, run, steps, definition, now, url, set }: { view: View; run: RunDetail; steps: Step[]; definition: Value | undefined; now: number; url: RunURL; set: (c: { [K in keyof RunURL]?: RunURL[K] | undefined }) => void }) {
  const select = (id: string) => set({ step: id === url.step ? undefined : id, iteration: undefined, attempt: undefined, status: undefined })
  const list = useMemo(() => chosen(steps, url.only, url.q), [steps, url.only, url.q])
  switch (view) {
    case 'graph': return definition === undefined ? <Loading /> : <RunGraph definition={definition} steps={steps} selected={url.step} onSelect={select} />
    case 'list': return <StepList steps={list} now={now} selected={url.step} onSelect={select} tall={steps.length > 100} />
    case 'time': return <Gantt run={run} steps={list} definition={definition} now={now} selected={url.step} onSelect={select} />
    case 'log': return <Log run={run.id} open={!terminal.has(run.status)} level={url.level} step={url.step} q={url.q} onChange={set} />
    case 'data': return <Data run={run.id} seq={run.seq} />
    case 'events': return <Events run={run.id} seq={run.seq} kind={url.kind} onKind={(kind) => set({ kind })} />
  }
}

function Filters({ url, set }: { url: RunURL; set: (c: { [K in keyof RunURL]?: RunURL[K] | undefined }) => void }) {
  return (
    <div className="filters slim">
      {(['open', 'failed'] as const).map((only) => <label key={only} className="check"><input type="checkbox" checked={url.only === only} onChange={(e) => set({ only: e.target.checked ? only : undefined })} /> {only === 'open' ? strings.onlyOpen : strings.onlyFailed}</label>)}
      <input type="search" aria-label={strings.findStep} placeholder={strings.findStep} value={url.q ?? ''} onChange={(e) => set({ q: e.target.value || undefined })} />
    </div>
  )
}

export function RunPage({ id }: { id: string }) {
  const { run, steps, error, refresh } = useLiveRun(id)
  const now = useNow()
  const [url, set] = useRunURL(id)
  const definition = useQuery({
    queryKey: ['run-definition', id, run?.version], enabled: run !== null, staleTime: Infinity,
    queryFn: async ({ signal }) => ((await values(`${runAPI(id)}/definition`, { signal })) as { definition: Value }).definition,
  }).data
  if (!run) return error ? <><Title text="Run" /><Problem error={error} retry={refresh} /></> : <Loading />
  const view = url.view && views.some(([v]) => v === url.view) ? url.view : steps.length > most ? 'list' : 'graph'
  const changed = steps.find((s) => s.step_id === url.step)?.seq ?? run.seq
  const beside = url.step !== undefined && view !== 'data' && view !== 'events'
  return (
    <>
      <Head run={run} now={now} definition={definition} onChanged={refresh} />
      {error ? <Problem error={error} retry={refresh} /> : null}
      <Notice run={run} steps={steps} now={now} onStep={(step) => set({ step, iteration: undefined, attempt: undefined })} />
      {steps.length === 0 ? <Empty title={strings.noSteps} /> : (
        <Tabs tabs={views} open={view} onOpen={(v) => set({ view: v, q: undefined })} label={strings.viewsLabel} aside={view === 'list' || view === 'time' ? <Filters url={url} set={set} /> : null}>
          <div className={beside ? 'split' : undefined}>
            <div className="picture"><Pane key={view}><Picture view={view} run={run} steps={steps} definition={definition} now={now} url={url} set={set} /></Pane></div>
            {beside && url.step ? <Pane key={url.step}><StepPanel run={id} id={url.step} iteration={url.iteration} attempt={url.attempt} status={url.status} changed={changed} now={now} definition={definition} can={run.can} onChange={set} onChanged={refresh} /></Pane> : null}
          </div>
        </Tabs>
      )}
      <p className="sr" role="status">{stateOf(run.status).word}</p>
    </>
  )
}
