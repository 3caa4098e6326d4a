import { useMemo } from 'react'
import type { Value } from '../api/lossless'
import type { WholeVersion } from '../api/versions'
import type { Change, Diff } from '../diff/changes'
import { flatten, stepsOf } from '../layout/definition'
import { Changes } from '../ui/Changes'

const rawSteps = (definition: Value) => new Map(flatten(stepsOf(definition)).map((s) => [s.id, s.raw as Value]))

export function Steps({ diff, before, after, selected, onSelect }: { diff: Diff; before: WholeVersion; after: WholeVersion; selected: string | undefined; onSelect: (key: string) => void }) {
  const old = useMemo(() => rawSteps(before.definition), [before.definition])
  const now = useMemo(() => rawSteps(after.definition), [after.definition])
  const contentOf = (c: Change) => (c.change === 'added' ? now.get(c.step_id ?? '') : c.change === 'removed' ? old.get(c.step_id ?? '') : undefined)
  return <Changes changes={diff.changes} contentOf={contentOf} selected={selected} onSelect={onSelect} />
}
