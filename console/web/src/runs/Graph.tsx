import { useMemo } from 'react'
import type { Value } from '../api/lossless'
import { drawn, stepsOf } from '../layout/definition'
import { stateOf } from '../status/states'
import { Dag, type DagNode } from '../ui/Dag'
import { Icon } from '../ui/Icon'
import { duration } from '../time/time'
import { stateOfStep, type Step } from './live'

// said is the second line of a box: what a loop has done, how often a step was tried, how long.
function said(s: Step): string {
  const it = s.iterations
  if (it) return `${it.completed + it.failed}/${it.total ?? '?'}${it.failed ? ` · ${it.failed} ✕` : ''}${it.started > it.completed + it.failed ? ` · ${it.started - it.completed - it.failed} at once` : ''}`
  return [s.attempt > 1 ? `${s.attempt} of ${s.max_attempts}` : '', s.duration_seconds !== null ? duration(s.duration_seconds) : ''].filter(Boolean).join(' · ')
}

// RunGraph is the picture of the definition that the run ran. A loop is one box; what was not
// taken is faint.
export function RunGraph({ definition, steps, selected, onSelect }: { definition: Value; steps: Step[]; selected: string | undefined; onSelect: (id: string) => void }) {
  const { layout, nodes } = useMemo(() => {
    const nodes = stepsOf(definition).map((s) => ({ ...s, body: [] }))
    return { nodes, layout: drawn(nodes) }
  }, [definition])
  const byID = new Map(steps.map((s) => [s.step_id, s]))
  const boxes: DagNode[] = nodes.map((n) => {
    const step = byID.get(n.id)
    const state = step ? stateOfStep(step) : 'pending'
    const look = stateOf(state)
    return {
      id: n.id, tone: `run-node tone-${look.tone} is-${state}`,
      hint: `, ${n.type}, ${look.word}${step?.error ? `, ${step.error.message}` : ''}${n.dependsOn.length ? `, after ${n.dependsOn.join(', ')}` : ''}`,
      body: <><b><Icon shape={look.shape} /> {n.name || n.id}</b><small>{n.type}{step && said(step) ? ` · ${said(step)}` : ''}</small></>,
    }
  })
  const handlers: DagNode[] = (['on_failure', 'finally'] as const).map((list) => ({ id: '@' + list, hint: '', group: true, inert: true, body: <span className="dag-title">{list}</span> }))
  const idle = (id: string) => { const s = byID.get(id)?.status; return s === 'skipped' || s === undefined }
  return <Dag layout={layout} nodes={[...boxes, ...handlers]} label="Steps of the run" selected={selected} onSelect={onSelect} edgeTone={(e) => (idle(e.to) || idle(e.from) ? 'edge-idle' : '')} />
}
