import { useMemo } from 'react'
import { drawn, flatten, type StepNode } from '../layout/definition'
import { Dag, type DagNode } from '../ui/Dag'
import type { Diagnostic } from '../yaml/place'
import { strings } from './strings'

// counts finds how many problems each step has; those in a loop's body are also the loop's.
function counts(steps: StepNode[], diagnostics: Diagnostic[]): Map<string, { errors: number; all: number }> {
  const found = new Map<string, { errors: number; all: number }>()
  for (const s of steps) {
    const own = diagnostics.filter((d) => d.pointer === s.pointer || d.pointer.startsWith(s.pointer + '/'))
    if (own.length) found.set(s.id, { errors: own.filter((d) => d.severity === 'error').length, all: own.length })
  }
  return found
}

// Picture is the graph of the text. While the text cannot be read, the last one that could stays,
// dimmed.
export function Picture({ steps, broken, diagnostics, selected, onSelect }: { steps: StepNode[]; broken: boolean; diagnostics: Diagnostic[]; selected: string | undefined; onSelect: (id: string) => void }) {
  // Most changes are within a step: the picture is laid out anew when its shape changes.
  const shape = JSON.stringify(flatten(steps).map((s) => [s.id, s.parent, s.list, s.dependsOn, s.fallback]))
  const layout = useMemo(() => drawn(steps), [shape])
  const nodes = useMemo(() => {
    const all = flatten(steps)
    const bad = counts(all, diagnostics)
    const of = all.map((s): DagNode => {
      const problems = bad.get(s.id)
      return {
        id: s.id, group: s.body.length > 0, tone: problems ? (problems.errors ? 'node-error' : 'node-warning') : undefined,
        hint: `${problems ? `, ${problems.all} ${problems.all === 1 ? 'problem' : 'problems'}` : ''}${s.dependsOn.length ? `, after ${s.dependsOn.join(', ')}` : ''}`,
        body: <><b>{problems ? <span className="sign" aria-hidden="true">{problems.errors ? '✕ ' : '! '}</span> : null}{s.name || s.id}</b><small>{s.name ? `${s.id} · ` : ''}{s.type || 'no type'}</small></>,
      }
    })
    return [...of, ...(['on_failure', 'finally'] as const).map((list): DagNode => ({ id: '@' + list, hint: '', group: true, inert: true, body: <span className="dag-title">{list}</span> }))]
  }, [steps, diagnostics])
  if (steps.length === 0) return <p className="empty">{strings.nothingYet}</p>
  return (
    <div className={broken ? 'picture broken' : 'picture'}>
      {broken ? <p className="note">{strings.broken}</p> : null}
      <Dag layout={layout} nodes={nodes} label={strings.graph} selected={selected} onSelect={onSelect} />
    </div>
  )
}
