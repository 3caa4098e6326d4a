import { useMemo } from 'react'
import type { WholeVersion } from '../api/versions'
import { edgeKey, keyOf, markOf, nearChanges, unionOf, type Diff } from '../diff/changes'
import { drawn, flatten, stepsOf, type StepNode } from '../layout/definition'
import { ChangeCard } from '../ui/Changes'
import { Dag, type DagNode } from '../ui/Dag'
import { strings } from './strings'

const most = 300 // steps that are drawn whole

function nodeOf(s: StepNode, change: string | undefined): DagNode {
  const mark = change ? markOf(change) : null
  return {
    id: s.id, group: s.body.length > 0, tone: change ? `mark mark-${change}` : 'mark-same',
    hint: `${mark ? `, ${mark.word}` : ', unchanged'}${s.dependsOn.length ? `, after ${s.dependsOn.join(', ')}` : ''}`,
    body: <><b>{mark ? <span className="sign">{mark.sign} </span> : null}<span className="dag-name">{s.name || s.id}</span></b><small>{s.name ? `${s.id} · ` : ''}{s.type}</small></>,
  }
}

export function Graph({ diff, before, after, selected, onSelect }: { diff: Diff; before: WholeVersion; after: WholeVersion; selected: string | undefined; onSelect: (key: string) => void }) {
  const { layout, nodes, union, fewer } = useMemo(() => {
    const union = unionOf(stepsOf(before.definition), stepsOf(after.definition), diff.changes)
    const fewer = flatten(union.steps).length > most
    const steps = fewer ? nearChanges(union) : union.steps
    const handlers: DagNode[] = (['on_failure', 'finally'] as const).map((list) => ({ id: '@' + list, hint: '', group: true, inert: true, body: <span className="dag-title">{list}</span> }))
    return { layout: drawn(steps), nodes: [...flatten(steps).map((s) => nodeOf(s, union.marks.get(s.id))), ...handlers], union, fewer }
  }, [before.definition, after.definition, diff.changes])
  const change = diff.changes.find((c) => keyOf(c) === selected)
  return (
    <>
      {fewer ? <p className="faint">{strings.fewer}</p> : null}
      <div className="compare-graph">
        <Dag layout={layout} nodes={nodes} label="Both versions as one graph" selected={selected} onSelect={onSelect}
          edgeTone={(e) => (union.gone.has(edgeKey(e.from, e.to)) ? 'edge-gone' : union.fresh.has(edgeKey(e.from, e.to)) ? 'edge-new' : '')} />
        {change ? <ChangeCard change={change} selected /> : <p className="faint legend"><span className="mark-added">+ added</span> <span className="mark-removed">− removed</span> <span className="mark-renamed">→ renamed</span> <span className="mark-modified">~ modified</span> <span className="mark-moved">↕ moved</span></p>}
      </div>
    </>
  )
}
