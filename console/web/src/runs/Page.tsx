import { useQuery } from '@tanstack/react-query'
import { Link, useLocation, useSearch } from 'wouter'
import { call, values } from '../api/client'
import { print } from '../api/lossless'
import { Title } from '../frame/Frame'
import { runPath, to, workflowPath } from '../routes'
import { StateChip, VersionChip } from '../ui/Chip'
import { Empty, Loading, Problem } from '../ui/Problem'
import { Duration, Time, useNow } from '../ui/Time'
import { Answer } from './Answer'
import { useLiveRun, type RunDetail, type Step } from './live'

interface Attempt {
  attempt: number; status: string; interrupted: boolean; started_at: string | null; completed_at: string | null
  duration_seconds: number | null; error: { code: string; message: string } | null
}

function StepPanel({ run, id, changed }: { run: string; id: string; changed: number }) {
  const path = `/api/workflows/runs/${encodeURIComponent(run)}/steps/${encodeURIComponent(id)}`
  const detail = useQuery({ queryKey: ['step', run, id, changed], queryFn: async ({ signal }) => (await call<{ step: Step & { attempts: Attempt[] } }>(path, { signal })).data.step })
  const output = useQuery({ queryKey: ['output', run, id, changed], queryFn: async ({ signal }) => {
    const body = (await values(path, { signal })) as { step?: { output?: never } }
    return body.step?.output === undefined ? '' : print(body.step.output)
  } })
  if (detail.error) return <Problem error={detail.error} retry={() => void detail.refetch()} />
  const step = detail.data
  if (!step) return <Loading />
  return (
    <section className="panel" aria-labelledby="step-title">
      <h2 id="step-title">{step.name}</h2>
      <p><StateChip state={step.status} /> <span className="faint">{step.type} · <code>{step.step_id}</code></span></p>
      {step.error ? <p className="problem">{step.error.message} <code>{step.error.code}</code></p> : null}
      <h3>Attempts</h3>
      <ol className="attempts">{step.attempts.map((a) => (
        <li key={a.attempt}><StateChip state={a.status} /> <Duration seconds={a.duration_seconds} />{a.interrupted ? ' interrupted' : ''}{a.error ? <span className="tone-red"> {a.error.message}</span> : null}</li>
      ))}</ol>
      <h3>Output</h3>
      {output.data ? <pre tabIndex={0}>{output.data}</pre> : <p className="faint">None</p>}
    </section>
  )
}

function Head({ run, now }: { run: RunDetail; now: number }) {
  return (
    <div className="facts">
      <StateChip state={run.status} />
      <Link href={workflowPath(run.workflow.slug)}><VersionChip version={run.version} label={run.version_label} hash={run.definition_hash} /></Link>
      <code>{run.id}</code>
      <span>by {run.started_by?.name ?? run.trigger}</span>
      <Time at={run.created_at} now={now} />
      <Duration seconds={run.duration_seconds} />
      {run.counts ? <span className="faint">{run.counts['completed']} of {run.counts['total']} steps</span> : null}
    </div>
  )
}

export function RunPage({ id }: { id: string }) {
  const live = useLiveRun(id)
  const now = useNow()
  const [, navigate] = useLocation()
  const selected = new URLSearchParams(useSearch()).get('step') ?? undefined
  const { run, steps } = live
  if (!run) return live.error ? <><Title text="Run" /><Problem error={live.error} /></> : <Loading />
  const waiting = steps.find((s) => s.status === 'waiting' && s.wait?.request_id)
  const changed = steps.find((s) => s.step_id === selected)?.seq ?? 0
  return (
    <>
      <Title text={run.workflow.name} />
      <Head run={run} now={now} />
      {run.error ? <div className="problem" role="alert">{run.error.message} <code>{run.error.code}</code></div> : null}
      {waiting?.wait?.request_id ? <Answer key={waiting.wait.request_id} id={waiting.wait.request_id} /> : null}
      {run.queue ? <p className="note">Queued, {run.queue.ahead} ahead</p> : null}
      {steps.length === 0 ? <Empty title="This run has no steps yet" /> : (
        <div className={selected ? 'split' : undefined}>
          <div className="scroll" tabIndex={0} role="region" aria-label="Steps">
            <table>
              <thead><tr><th scope="col">State</th><th scope="col">Step</th><th scope="col">Type</th><th scope="col">Attempt</th><th scope="col" className="number">Duration</th><th scope="col">Error</th></tr></thead>
              <tbody>{steps.map((s) => (
                <tr key={s.step_id} aria-selected={s.step_id === selected}>
                  <td><StateChip state={s.status} /></td>
                  <th scope="row"><button type="button" className="link" onClick={() => navigate(to(runPath(id), { step: s.step_id === selected ? undefined : s.step_id }), { replace: true })}>{s.name}</button></th>
                  <td>{s.type}</td>
                  <td>{s.attempt > 0 ? `${s.attempt} of ${s.max_attempts}` : <span className="faint">–</span>}</td>
                  <td className="number"><Duration seconds={s.duration_seconds} /></td>
                  <td className="reason">{s.error ? <span className="tone-red">{s.error.message}</span> : null}</td>
                </tr>
              ))}</tbody>
            </table>
          </div>
          {selected ? <StepPanel run={id} id={selected} changed={changed} /> : null}
        </div>
      )}
      <p className="sr" role="status">{run.status}</p>
    </>
  )
}
