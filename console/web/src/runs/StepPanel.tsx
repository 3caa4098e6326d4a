import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { call } from '../api/client'
import { parse, type Value } from '../api/lossless'
import type { Action } from '../api/queries'
import { flatten, stepsOf } from '../layout/definition'
import { to } from '../routes'
import { StateChip } from '../ui/Chip'
import { Copy } from '../ui/Copy'
import { Icon } from '../ui/Icon'
import { Loading, Problem } from '../ui/Problem'
import { Duration, Time } from '../ui/Time'
import { ValueView } from '../ui/ValueView'
import { blobOf } from './Data'
import { Iterations } from './Iterations'
import { runAPI, stateOfStep, type Step } from './live'
import { strings } from './strings'
import type { Line } from './Log'

interface Attempt {
  attempt: number; generation: number; status: string; interrupted: boolean; started_at: string | null; completed_at: string | null; tokens: number; cost_micro_usd: number
  duration_seconds: number | null; error: { code: string; message: string } | null
}
interface Detail extends Step { attempts: Attempt[] }
interface Exactly { output: Value; attempts: { output: Value; rendered_input: Value }[] }

export interface PanelProps {
  run: string; id: string; iteration: string | undefined; attempt: string | undefined; status: string | undefined; changed: number; now: number; definition: Value | undefined; can: Action[]
  onChange: (c: { step?: string | undefined; iteration?: string | undefined; attempt?: string | undefined; status?: string | undefined }) => void; onChanged: () => void
}

function StepLog({ run, step, attempt, iteration, changed }: { run: string; step: string; attempt: number; iteration: string | undefined; changed: number }) {
  const read = useQuery({ queryKey: ['step-log', run, step, attempt, iteration, changed], placeholderData: keepPreviousData, queryFn: async ({ signal }) => (await call<{ logs: Line[] }>(to(`${runAPI(run)}/logs`, { step_id: step, attempt: String(attempt), iteration, from: 'end', limit: '100' }), { signal })).data.logs })
  if (!read.data?.length) return <p className="faint">{strings.noLog}</p>
  return <pre className="step-log" tabIndex={0} aria-label={strings.log}>{read.data.map((l) => l.message).join('\n')}</pre>
}

function AttemptView({ run, step, iteration, one, exact, changed }: { run: string; step: Detail; iteration: string | undefined; one: Attempt; exact: Exactly['attempts'][number] | undefined; changed: number }) {
  return (
    <>
      {one.error ? <div className="problem"><p>{one.error.message}</p><code>{one.error.code}</code></div> : null}
      <p className="faint attempt-facts"><StateChip state={one.status} /> <Duration seconds={one.duration_seconds} />{one.interrupted ? ` · ${strings.interrupted}` : ''}{one.tokens ? ` · ${one.tokens} ${strings.tokens}` : ''}{one.cost_micro_usd ? ` · $${(one.cost_micro_usd / 1e6).toFixed(4)}` : ''}</p>
      <h3>{strings.output}</h3>
      {exact && exact.output !== null ? <ValueView value={exact.output} name="output" blob={blobOf(run)} /> : <p className="faint">{strings.none}</p>}
      <h3>{strings.sent}</h3>
      {exact && exact.rendered_input !== null ? <ValueView value={exact.rendered_input} name="sent" blob={blobOf(run)} /> : <p className="faint">{strings.notKept}</p>}
      <h3>{strings.log}</h3>
      <StepLog run={run} step={step.step_id} attempt={one.attempt} iteration={iteration} changed={changed} />
    </>
  )
}

// StepPanel is one step of a run: its attempts with what was sent and what came back, or the
// iterations of a loop.
export function StepPanel(props: PanelProps) {
  const { run, id, changed, now, definition, onChange } = props
  const node = useMemo(() => (definition === undefined ? undefined : flatten(stepsOf(definition)).find((s) => s.id === id)), [definition, id])
  // The iteration of a loop that is open is the loop's to show: the step is then outside of it.
  const iteration = node?.parent ? props.iteration : undefined
  const path = to(`${runAPI(run)}/steps/${encodeURIComponent(id)}`, { iteration })
  const read = useQuery<{ detail: Detail; exact: Exactly }>({
    queryKey: ['step', run, id, iteration, changed], enabled: definition !== undefined || !props.iteration, placeholderData: (old) => (old?.detail.step_id === id ? old : undefined),
    queryFn: async ({ signal }) => { const a = await call<{ step: Detail }>(path, { signal }); return { detail: a.data.step, exact: (parse(a.text) as unknown as { step: Exactly }).step } },
  })
  const [raw, setRaw] = useState(false)
  const step = read.data?.detail
  const list = step?.attempts ?? []
  const at = Math.max(0, props.attempt ? list.findIndex((a) => String(a.attempt) === props.attempt) : list.length - 1)
  const one = list[at]
  return (
    <section className="panel step-panel" aria-labelledby="step-title">
      <div className="panel-head">
        <h2 id="step-title">{step?.name ?? id}</h2>
        <button type="button" className="bare" aria-label={strings.close} onClick={() => onChange({ step: undefined, iteration: undefined, attempt: undefined, status: undefined })}><Icon shape="cross" /></button>
      </div>
      {iteration && node?.parent ? <p><button type="button" className="link" onClick={() => onChange({ step: node.parent ?? undefined, attempt: undefined })}>← {strings.backToLoop}</button> <code>{iteration}</code></p> : null}
      {read.error ? <Problem error={read.error} retry={() => void read.refetch()} /> : null}
      {!step && !read.error ? <Loading /> : null}
      {step ? (
        <>
          <p><StateChip state={stateOfStep(step)} /> <span className="faint">{step.type} · <code>{step.step_id}</code><Copy text={step.step_id} label="Copy the step's id" />{step.generation ? ` · ${strings.reruns(step.generation)}` : ''}{step.next_attempt_at ? <> · {strings.retryAt} <Time at={step.next_attempt_at} now={now} /></> : null}</span></p>
          {step.fallback ? <p>{strings.fallback} <button type="button" className="link" onClick={() => onChange({ step: step.fallback, attempt: undefined })}>{step.fallback}</button></p> : null}
          {step.error && !one?.error ? <div className="problem"><p>{step.error.message}</p><code>{step.error.code}</code></div> : null}
          {step.iterations ? <Iterations {...props} step={step} body={node?.body ?? []} /> : null}
          {list.length > 1 ? (
            <div className="pills" role="group" aria-label={strings.attempts}>{list.map((a, i) => <button key={`${a.generation}-${a.attempt}`} type="button" aria-pressed={i === at} className={`tone-${a.error ? 'red' : 'grey'}`} onClick={() => onChange({ attempt: String(a.attempt) })}>{strings.attempt} {a.attempt}</button>)}</div>
          ) : null}
          {one && !step.iterations ? <AttemptView run={run} step={step} iteration={iteration} one={one} exact={read.data?.exact.attempts[at]} changed={changed} /> : null}
          {node ? <details open={raw} onToggle={(e) => setRaw(e.currentTarget.open)}><summary>{strings.definition}</summary>{raw ? <ValueView value={node.raw} name={id} /> : null}</details> : null}
        </>
      ) : null}
    </section>
  )
}
