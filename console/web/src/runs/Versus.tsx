import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { Link } from 'wouter'
import { call, values } from '../api/client'
import { print, type Value } from '../api/lossless'
import { Title } from '../frame/Frame'
import { runPath, to, workflowPath } from '../routes'
import { StateChip, VersionChip } from '../ui/Chip'
import { Loading, Problem } from '../ui/Problem'
import { Duration, Time, useNow } from '../ui/Time'
import { runAPI, stateOfStep, type RunDetail, type Step } from './live'
import { strings } from './strings'
import { versus } from './versus'
import './style.css'

const words = strings.versus

interface Side { run: RunDetail; steps: Step[]; input: string }

// readSide reads a run with its steps as they are now; a comparison does not follow it.
async function readSide(id: string, signal: AbortSignal): Promise<Side> {
  const summary = to(runAPI(id), { view: 'summary' })
  const [run, exact] = await Promise.all([call<{ run: RunDetail }>(summary, { signal }), values(summary, { signal })])
  const steps: Step[] = []
  let cursor: string | undefined
  do {
    const { data } = await call<{ steps: Step[]; next_cursor: string | null }>(to(`${runAPI(id)}/steps`, { limit: '200', cursor }), { signal })
    steps.push(...data.steps)
    cursor = data.next_cursor ?? undefined
  } while (cursor)
  return { run: run.data.run, steps, input: print((exact as { run: { input: Value } }).run.input) }
}

const useSide = (id: string) => useQuery({ queryKey: ['run-side', id], queryFn: ({ signal }) => readSide(id, signal) })

function Column({ side, now }: { side: Side; now: number }) {
  const { run } = side
  return (
    <section className="side-run">
      <h2><Link href={runPath(run.id)}>{run.workflow.name}</Link></h2>
      <p><StateChip state={run.status} /> <Link className="quiet" href={workflowPath(run.workflow.slug)}><VersionChip version={run.version} label={run.version_label} hash={run.definition_hash} /></Link></p>
      <p className="faint"><code>{run.id}</code> · <Time at={run.created_at} now={now} /> · <Duration seconds={run.duration_seconds} /></p>
      {run.error ? <p className="tone-red">{run.error.message}</p> : null}
    </section>
  )
}

function Cell({ step }: { step: Step | undefined }) {
  if (!step) return <><td className="faint">{words.absent}</td><td /></>
  return <><td><StateChip state={stateOfStep(step)} /></td><td className="number">{step.duration_seconds === null ? '' : <Duration seconds={step.duration_seconds} />}</td></>
}

// Versus shows two runs side by side: what they were given, and each step's state and duration.
export function Versus({ a, b }: { a: string; b: string }) {
  const left = useSide(a), right = useSide(b)
  const now = useNow()
  const rows = useMemo(() => (left.data && right.data ? versus(left.data.steps, right.data.steps) : []), [left.data, right.data])
  const error = left.error ?? right.error
  if (error) return <><Title text={words.title} /><Problem error={error} retry={() => { void left.refetch(); void right.refetch() }} /></>
  if (!left.data || !right.data) return <><Title text={words.title} /><Loading /></>
  const one = left.data.run, other = right.data.run
  return (
    <>
      <Title text={words.title}><Link href={`/runs/${encodeURIComponent(b)}/vs/${encodeURIComponent(a)}`}>{words.swap}</Link></Title>
      <div className="pair"><Column side={left.data} now={now} /><Column side={right.data} now={now} /></div>
      {one.workflow.id === other.workflow.id && one.version !== other.version ? <p><Link href={`${workflowPath(one.workflow.slug)}/compare/${one.version}/${other.version}`}>{words.definitions(one.version, other.version)}</Link></p> : null}
      <h2>{strings.input}</h2>
      {left.data.input === right.data.input ? <p className="faint">{words.sameInput}</p> : <div className="pair">{[left.data.input, right.data.input].map((text, i) => <pre key={i} className="side-input" tabIndex={0} aria-label={words.inputOf(i === 0 ? a : b)}>{text.length > 20_000 ? text.slice(0, 20_000) + '…' : text}</pre>)}</div>}
      <h2>{words.steps}</h2>
      <div className="scroll" tabIndex={0} role="region" aria-label={words.steps}>
        <table className="versus">
          <thead><tr><th scope="col">{words.step}</th><th scope="col">{words.left}</th><th scope="col" className="number">{strings.list.duration}</th><th scope="col">{words.right}</th><th scope="col" className="number">{strings.list.duration}</th></tr></thead>
          <tbody>{rows.slice(0, 1_000).map((r) => (
            <tr key={r.id} className={r.differs ? 'differs' : undefined}><th scope="row">{r.name}{r.differs ? <span className="note">{words.differs}</span> : null}</th><Cell step={r.left} /><Cell step={r.right} /></tr>
          ))}</tbody>
        </table>
      </div>
      {rows.length > 1_000 ? <p className="faint">{words.fewer(rows.length)}</p> : null}
    </>
  )
}
