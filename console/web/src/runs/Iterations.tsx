import { keepPreviousData, useInfiniteQuery, useQueries } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../api/client'
import type { StepNode } from '../layout/definition'
import { to } from '../routes'
import { Act } from '../ui/Act'
import { StateChip } from '../ui/Chip'
import { Loading, Problem } from '../ui/Problem'
import { Duration } from '../ui/Time'
import { runAPI, stateOfStep, type Step } from './live'
import { ReasonDialog } from './ReasonDialog'
import type { PanelProps } from './StepPanel'
import { strings } from './strings'

interface Iteration { iteration: string; status: string; waiting?: boolean; error: { code: string; message: string } | null; duration_seconds: number | null }

const states = ['failed', 'running', 'waiting', 'completed'] as const

// Body is the steps of one iteration, each with its state.
function Body({ run, iteration, body, changed, onStep }: { run: string; iteration: string; body: StepNode[]; changed: number; onStep: (id: string) => void }) {
  const read = useQueries({ queries: body.map((s) => ({
    queryKey: ['step', run, s.id, iteration, changed, 'state'], retry: false,
    queryFn: async ({ signal }: { signal: AbortSignal }) => (await call<{ step: Step }>(to(`${runAPI(run)}/steps/${encodeURIComponent(s.id)}`, { iteration }), { signal })).data.step,
  })) })
  return (
    <div className="body-steps">
      <h3>{strings.body} <code>{iteration}</code></h3>
      <ul>{body.map((s, i) => {
        const step = read[i]?.data
        return <li key={s.id}><StateChip state={step ? stateOfStep(step) : 'pending'} /> <button type="button" className="link" onClick={() => onStep(s.id)}>{s.name || s.id}</button> <span className="faint">{s.type}</span>{step?.error ? <span className="tone-red"> {step.error.message}</span> : null}</li>
      })}</ul>
    </div>
  )
}

// Iterations is a loop's iterations by state; the failed ones come first to sight.
export function Iterations({ run, id, step, body, iteration, status, changed, can, onChange, onChanged }: PanelProps & { step: Step; body: StepNode[] }) {
  const failed = step.iterations?.failed ?? 0
  const state = status ?? (failed > 0 ? 'failed' : 'all')
  const [redrive, setRedrive] = useState(false)
  const read = useInfiniteQuery({
    queryKey: ['iterations', run, id, state, changed], initialPageParam: '', placeholderData: keepPreviousData,
    queryFn: async ({ signal, pageParam }) => (await call<{ iterations: Iteration[]; next_cursor: string | null }>(to(`${runAPI(run)}/steps/${encodeURIComponent(id)}/iterations`, { status: state === 'all' ? undefined : state, limit: '50', cursor: pageParam || undefined }), { signal })).data,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  })
  const list = read.data?.pages.flatMap((p) => p.iterations) ?? []
  return (
    <>
      <div className="panel-head">
        <h3>{strings.iterations} <span className="faint">{(step.iterations?.completed ?? 0) + failed} of {step.iterations?.total ?? '?'}</span></h3>
        {failed > 0 ? <Act can={can} needs="operate" onClick={() => setRedrive(true)}>{strings.redrive}</Act> : null}
      </div>
      <div className="pills" role="group" aria-label="State">
        {(['all', ...states] as const).map((s) => <button key={s} type="button" aria-pressed={s === state} onClick={() => onChange({ status: s, iteration: undefined })}>{s === 'all' ? strings.allIterations : s}{s === 'failed' && failed ? ` ${failed}` : ''}</button>)}
      </div>
      {read.error ? <Problem error={read.error} retry={() => void read.refetch()} /> : null}
      {read.isLoading ? <Loading /> : null}
      {list.length ? (
        <div className="scroll iterations" tabIndex={0} role="region" aria-label={strings.iterations}><table><tbody>{list.map((it) => (
          <tr key={it.iteration} aria-selected={it.iteration === iteration}>
            <th scope="row"><button type="button" className="link" onClick={() => onChange({ iteration: it.iteration === iteration ? undefined : it.iteration })}>{it.iteration}</button></th>
            <td><StateChip state={it.waiting ? 'waiting' : it.status} /></td><td className="number"><Duration seconds={it.duration_seconds} /></td>
            <td className="reason">{it.error ? <span className="tone-red">{it.error.message}</span> : null}</td>
          </tr>
        ))}</tbody></table></div>
      ) : read.isLoading ? null : <p className="faint">{strings.noIterations}</p>}
      {read.hasNextPage ? <button type="button" disabled={read.isFetchingNextPage} onClick={() => void read.fetchNextPage()}>{strings.more}</button> : null}
      {iteration ? <Body run={run} iteration={iteration} body={body} changed={changed} onStep={(s) => onChange({ step: s, attempt: undefined })} /> : null}
      {redrive ? <ReasonDialog run={run} steer="redrive" step={id} onClose={() => setRedrive(false)} onDone={() => { setRedrive(false); onChanged() }} /> : null}
    </>
  )
}
