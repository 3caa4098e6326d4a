// The semantic difference between two definitions, as the server says it, in words and marks.
import type { Value } from '../api/lossless'
import { flatten, type StepNode } from '../layout/definition'

export interface Field { path: string; before?: Value; after?: Value }
export interface Change { step_id: string | null; change: string; previous_id?: string; fields?: Field[] }
export interface Diff { changes: Change[]; summary: string; diff: Value[] }

interface Mark { sign: string; word: string }
const marks: Record<string, Mark> = {
  added: { sign: '+', word: 'added' }, removed: { sign: '−', word: 'removed' }, renamed: { sign: '→', word: 'renamed' },
  moved: { sign: '↕', word: 'moved' }, modified: { sign: '~', word: 'modified' }, settings: { sign: '⚙', word: 'settings' },
}

// markOf is the sign and the word of a change; of one that is not known, its own word.
export const markOf = (change: string): Mark => marks[change] ?? { sign: '?', word: change }

// keyOf names a change in a URL: the step, or @settings.
export const keyOf = (c: Change) => c.step_id ?? '@settings'

// tokens are the parts of a JSON pointer.
export function tokens(pointer: string): string[] {
  return pointer.split('/').slice(1).map((t) => t.replaceAll('~1', '/').replaceAll('~0', '~'))
}

// inWords writes a pointer as people read it: config › cases › [2] › when.
export function inWords(pointer: string): string {
  return tokens(pointer).map((t) => (/^\d+$/.test(t) ? `[${t}]` : t)).join(' › ')
}

// functional reports whether a summary does not say that nothing changes in effect.
export const functional = (summary: string) => !summary.includes('No functional change')

export interface Union { steps: StepNode[]; marks: Map<string, string>; gone: Set<string>; fresh: Set<string> }

export const edgeKey = (from: string, to: string) => from + '\n' + to

// unionOf makes one graph of two definitions: the steps of the later one, under its names, and
// those that it no longer has. Edges are gone or fresh where only one has them, by edgeKey.
export function unionOf(before: StepNode[], after: StepNode[], changes: Change[]): Union {
  const renamed = new Map(changes.filter((c) => c.change === 'renamed').map((c) => [c.previous_id ?? '', c.step_id ?? '']))
  const name = (id: string) => renamed.get(id) ?? id
  const marks = new Map<string, string>()
  for (const c of changes) if (c.step_id !== null) marks.set(c.step_id, c.change)
  const old = new Map(flatten(before).map((s) => [name(s.id), s]))
  const now = new Set(flatten(after).map((s) => s.id))
  const gone = new Set<string>(), fresh = new Set<string>()
  const lost = new Map<string, StepNode[]>() // by the loop or list that they were in
  for (const s of flatten(before)) {
    if (now.has(name(s.id))) continue
    if (s.parent && !now.has(name(s.parent))) continue // its loop is gone and shows it
    const place = s.parent ? name(s.parent) : '@' + s.list
    lost.set(place, [...(lost.get(place) ?? []), s])
  }
  const removed = (s: StepNode): StepNode => {
    const dependsOn = s.dependsOn.map(name)
    for (const d of dependsOn) gone.add(edgeKey(d, s.id))
    marks.set(s.id, 'removed')
    return { ...s, dependsOn, fallback: s.fallback && name(s.fallback), body: s.body.map(removed) }
  }
  const merge = (s: StepNode): StepNode => {
    const was = old.get(s.id)
    const earlier = was?.dependsOn.map(name) ?? []
    for (const d of earlier) if (!s.dependsOn.includes(d)) gone.add(edgeKey(d, s.id))
    for (const d of s.dependsOn) if (!earlier.includes(d)) fresh.add(edgeKey(d, s.id))
    return { ...s, dependsOn: [...new Set([...s.dependsOn, ...earlier])], body: [...s.body.map(merge), ...(lost.get(s.id) ?? []).map(removed)] }
  }
  const steps = [...after.map(merge), ...[...lost].filter(([place]) => place.startsWith('@')).flatMap(([, list]) => list.map(removed))]
  return { steps, marks, gone, fresh }
}

// nearChanges keeps what changed and what stands directly beside it, loops included: of a large
// definition the rest would hide it.
export function nearChanges(u: Union): StepNode[] {
  const keep = new Set([...u.marks.keys()])
  for (const s of flatten(u.steps)) {
    for (const d of s.dependsOn) {
      if (u.marks.has(s.id)) keep.add(d)
      if (u.marks.has(d)) keep.add(s.id)
    }
  }
  const filter = (steps: StepNode[]): StepNode[] => steps.flatMap((s) => {
    const body = filter(s.body)
    return keep.has(s.id) || body.length ? [{ ...s, body }] : []
  })
  return filter(u.steps)
}
