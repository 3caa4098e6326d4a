import { useMemo, useState } from 'react'
import type { Value } from '../api/lossless'
import { drawn, flatten, stepsOf, type StepNode } from '../layout/definition'
import { Dag, type DagNode } from './Dag'
import { StepList } from './StepList'

const most = 300 // steps; more are listed

const nodeOf = (s: StepNode): DagNode => ({
  id: s.id, group: s.body.length > 0, hint: s.dependsOn.length ? `, after ${s.dependsOn.join(', ')}` : '',
  body: <><b><span className="dag-name">{s.name || s.id}</span></b><small>{s.name ? `${s.id} · ` : ''}{s.type}</small></>,
})

// DefinitionGraph draws a definition, to be looked at. Where there is no room for a picture, and
// where it would be too large for one, it is a list.
export function DefinitionGraph({ definition, label }: { definition: Value; label: string }) {
  const [selected, select] = useState<string>()
  const { layout, nodes } = useMemo(() => {
    const steps = stepsOf(definition)
    const handlers: DagNode[] = (['on_failure', 'finally'] as const).map((list) => ({ id: '@' + list, hint: '', group: true, inert: true, body: <span className="dag-title">{list}</span> }))
    return { layout: drawn(steps), nodes: [...flatten(steps).map(nodeOf), ...handlers] }
  }, [definition])
  if (nodes.length > most) return <StepList definition={definition} />
  return (
    <>
      <div className="with-room"><Dag layout={layout} nodes={nodes} label={label} selected={selected} onSelect={select} /></div>
      <div className="without-room"><StepList definition={definition} /></div>
    </>
  )
}
