import type { EditorView } from '@codemirror/view'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useLocation, useSearch } from 'wouter'
import { to, workflowPath } from '../routes'
import { flatten, type StepNode } from '../layout/definition'
import { complete } from '../yaml/complete'
import { rangeAt, read, stepAround } from '../yaml/document'
import type { Edit } from '../yaml/edit'
import { spotOf, type Diagnostic } from '../yaml/place'
import { Code } from './Code'
import { useDiagnostics } from './diagnostics'
import { useKeeper, useNames, useSchema, useSettled } from './hooks'
import type { Start } from './load'
import { Panel } from './Panel'
import { Picture } from './Picture'
import { Problems } from './Problems'
import { Toolbar } from './Toolbar'

// useReading is the text as it was read last, and the steps of the last text that could be read.
function useReading(text: string) {
  const settled = useSettled(text)
  const r = useMemo(() => read(settled), [settled])
  const last = useRef<StepNode[]>(r.steps)
  if (!r.broken) last.current = r.steps
  return { read: r, steps: last.current }
}

// Workbench is the editor: text, problems, graph, and the step that one is in. The text is the only
// truth; all else shows it, or changes a place in it.
export function Workbench({ slug, me, start, restart }: { slug: string; me: string; start: Start; restart: () => void }) {
  const [, navigate] = useLocation()
  const params = new URLSearchParams(useSearch())
  const selected = params.get('step') ?? undefined
  const panel = params.get('panel') ?? 'step'
  const url = useCallback((change: Record<string, string | undefined>) => navigate(to(workflowPath(slug) + '/edit', { ...Object.fromEntries(new URLSearchParams(window.location.search)), ...change }), { replace: true }), [navigate, slug])
  const [text, setText] = useState(start.source.text)
  const view = useRef<EditorView | null>(null)
  const { format } = start.source
  const mayEdit = start.workflow.can.includes('edit') && start.workflow.status !== 'archived'
  const { keeper, keeping } = useKeeper(slug, me, start)
  const found = useDiagnostics(text, format)
  const reading = useReading(text)
  const schema = useSchema(), names = useNames()
  const diagnostics = found.diagnostics
  const cursor = useRef<ReturnType<typeof setTimeout>>(undefined)

  useEffect(() => () => clearTimeout(cursor.current), [])
  const edit = useCallback((e: Edit) => view.current?.dispatch({ changes: e, userEvent: 'input.form' }), [])
  const replaceAll = useCallback((next: string) => {
    const v = view.current
    if (v) v.dispatch({ changes: { from: 0, to: v.state.doc.length, insert: next }, userEvent: 'input.merge' })
  }, [])
  const reveal = (from: number, focus: boolean) => {
    const v = view.current
    if (!v) return
    v.dispatch({ selection: { anchor: Math.min(from, v.state.doc.length) }, scrollIntoView: true })
    if (focus) v.focus()
  }
  const select = (id: string) => {
    const step = flatten(reading.steps).find((s) => s.id === id)
    const range = step ? rangeAt(reading.read, step.pointer) : null
    url({ step: id, panel: panel === 'run' ? 'step' : panel })
    if (range) reveal(range.from, false)
  }
  const onCursor = (at: number) => {
    clearTimeout(cursor.current)
    cursor.current = setTimeout(() => {
      const step = stepAround(read(view.current?.state.doc.toString() ?? ''), at)
      if (step && step.id !== new URLSearchParams(window.location.search).get('step')) url({ step: step.id })
    }, 200)
  }
  const go = (d: Diagnostic) => {
    reveal(spotOf(read(text), d).from, true)
    const step = flatten(reading.steps).filter((s) => d.pointer === s.pointer || d.pointer.startsWith(s.pointer + '/')).pop()
    if (step) url({ step: step.id })
  }
  const step = flatten(reading.read.broken ? reading.steps : reading.read.steps).find((s) => s.id === selected)

  return (
    <>
      <Toolbar slug={slug} start={start} text={text} keeper={keeper} keeping={keeping} diagnostics={diagnostics} mayEdit={mayEdit}
        onText={replaceAll} restart={restart} panel={(p) => url({ panel: p })} />
      <div className="editor">
        <div className="writing">
          <Code text={start.source.text} format={format} readOnly={!mayEdit} found={found}
            complete={(t, pos) => (schema ? complete(t, pos, schema, names) : null)}
            onText={(t) => { setText(t); keeper.change(t) }} onCursor={onCursor} onSave={() => void keeper.flush()} onView={(v) => { view.current = v }} />
          <Problems diagnostics={diagnostics} read={reading.read} go={go} edit={mayEdit ? edit : null} />
        </div>
        <div className="showing">
          <Picture steps={reading.steps} broken={reading.read.broken} diagnostics={diagnostics} selected={selected} onSelect={select} />
          <Panel slug={slug} panel={panel} onPanel={(p) => url({ panel: p === 'step' ? undefined : p })} read={reading.read} step={step} schema={schema} disabled={!mayEdit || reading.read.broken}
            edit={edit} inText={(pointer) => { const range = rangeAt(reading.read, pointer) ?? (step ? rangeAt(reading.read, step.pointer) : null); if (range) reveal(range.from, true) }}
            source={() => ({ format, text: view.current?.state.doc.toString() ?? text })} />
        </div>
      </div>
    </>
  )
}
