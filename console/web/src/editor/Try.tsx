import { useMutation, useQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { call, Failure } from '../api/client'
import { parse, print, type Value } from '../api/lossless'
import type { RunSummary } from '../api/queries'
import { workflowAPI, type Source } from '../api/versions'
import { Refusal } from '../change/Refusal'
import { StateChip } from '../ui/Chip'
import { Duration } from '../ui/Time'
import { strings } from './strings'

// kept are the texts of the forms, by workflow, for as long as the page is open.
const kept = new Map<string, string>()

function useKept(key: string, first: string): [string, (v: string) => void] {
  const [text, setText] = useState(() => kept.get(key) ?? first)
  return [text, (v) => { kept.set(key, v); setText(v) }]
}

function JSONField({ label, value, onChange, rows = 3 }: { label: string; value: string; onChange: (v: string) => void; rows?: number }) {
  return <label className="field">{label}<textarea rows={rows} value={value} spellCheck={false} onChange={(e) => onChange(e.target.value)} /></label>
}

// body joins texts of JSON to an object, without reading their numbers. A text that is none is said.
function body(parts: Record<string, string>): string {
  const members = Object.entries(parts).filter(([, text]) => text.trim() !== '').map(([key, text]) => {
    try {
      JSON.parse(text)
    } catch {
      throw new Failure(0, 'invalid_json', `${key} is not JSON.`, '', 0, {})
    }
    return `${JSON.stringify(key)}: ${text}`
  })
  return `{${members.join(', ')}}`
}

interface Outcome { status: string; output: Value; error: { code: string; message: string } | null; duration_seconds: number; truncated?: boolean; steps?: { step_id: string; type: string; status: string; output: Value; error: { message: string } | null }[] }

function useTry(path: string) {
  return useMutation<Outcome, unknown, Record<string, string>>({ mutationFn: async (parts) => parse((await call(path, { method: 'POST', body: body(parts) })).text) as unknown as Outcome })
}

function Result({ outcome }: { outcome: Outcome }) {
  return (
    <div className="result" role="status">
      <p><StateChip state={outcome.status} /> <Duration seconds={Number(String(outcome.duration_seconds))} /></p>
      {outcome.error ? <p className="problem"><code>{outcome.error.code}</code> {outcome.error.message}</p> : null}
      {outcome.steps ? <ol>{outcome.steps.map((s, i) => <li key={i}><code>{s.step_id}</code> <StateChip state={s.status} />{s.error ? ` ${s.error.message}` : ''}{s.output !== null ? <pre>{print(s.output)}</pre> : null}</li>)}</ol> : null}
      {outcome.output !== null ? <><h3>Output</h3><pre tabIndex={0}>{print(outcome.output)}</pre></> : null}
      {outcome.truncated ? <p className="note">It was cut off after 10,000 events.</p> : null}
    </div>
  )
}

// TestStep performs one step of the text as it stands.
export function TestStep({ slug, step, inLoop, source }: { slug: string; step: string; inLoop: boolean; source: () => Source }) {
  const [input, setInput] = useKept(slug + ' input', '{}')
  const [outputs, setOutputs] = useKept(slug + ' outputs', '{}')
  const [item, setItem] = useKept(slug + ' item', '')
  const [run, setRun] = useState('')
  const runs = useQuery({ queryKey: ['runs', 'of', slug], queryFn: async ({ signal }) => (await call<{ runs: RunSummary[] }>(workflowAPI(slug) + '/runs?limit=20', { signal })).data.runs })
  const test = useTry(`${workflowAPI(slug)}/steps/${encodeURIComponent(step)}/test`)
  const submit = (e: FormEvent) => {
    e.preventDefault()
    test.mutate({ source: JSON.stringify(source()), ...(run ? { from_run: JSON.stringify(run) } : { input_data: input }), steps: outputs, ...(inLoop ? { item } : {}) })
  }
  return (
    <form className="try" onSubmit={submit}>
      <p className="note">{strings.performed}</p>
      <label className="field">{strings.fromRun}<select value={run} onChange={(e) => setRun(e.target.value)}><option value="">{strings.noRun}</option>{runs.data?.map((r) => <option key={r.id} value={r.id}>{r.id} · {r.status}</option>)}</select></label>
      {run ? null : <JSONField label={strings.input} value={input} onChange={setInput} />}
      <JSONField label={strings.outputs} value={outputs} onChange={setOutputs} />
      {inLoop ? <JSONField label={strings.item} value={item} onChange={setItem} rows={2} /> : null}
      <div><button type="submit" className="primary" disabled={test.isPending}>Test {step}</button></div>
      {test.error ? <Refusal error={test.error} /> : null}
      {test.data ? <Result outcome={test.data} /> : null}
    </form>
  )
}

// DryRun drives the whole text in memory.
export function DryRun({ slug, source }: { slug: string; source: () => Source }) {
  const [input, setInput] = useKept(slug + ' input', '{}')
  const [mocks, setMocks] = useKept(slug + ' mocks', '{}')
  const dry = useTry(workflowAPI(slug) + '/dry-run')
  const submit = (e: FormEvent) => {
    e.preventDefault()
    dry.mutate({ source: JSON.stringify(source()), input_data: input, mocks })
  }
  return (
    <form className="try" onSubmit={submit}>
      <p className="faint">{strings.inMemory}</p>
      <JSONField label={strings.input} value={input} onChange={setInput} />
      <JSONField label={strings.mocks} value={mocks} onChange={setMocks} rows={4} />
      <p className="faint">For each step: <code>{'{"fetch": {"output": {"body": 1}}}'}</code>, or an <code>error</code>.</p>
      <div><button type="submit" className="primary" disabled={dry.isPending}>{strings.dryRun}</button></div>
      {dry.error ? <Refusal error={dry.error} /> : null}
      {dry.data ? <Result outcome={dry.data} /> : null}
    </form>
  )
}
