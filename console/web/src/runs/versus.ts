import type { Step } from './live'

export interface Pair { id: string; name: string; left: Step | undefined; right: Step | undefined; differs: boolean }

// versus puts the steps of two runs beside each other: in the order of the first, what only the
// second has behind. Those whose states differ come first.
export function versus(left: Step[], right: Step[]): Pair[] {
  const others = new Map(right.map((s) => [s.step_id, s]))
  const pairs: Pair[] = left.map((s) => {
    const other = others.get(s.step_id)
    others.delete(s.step_id)
    return { id: s.step_id, name: s.name, left: s, right: other, differs: other?.status !== s.status }
  })
  for (const s of others.values()) pairs.push({ id: s.step_id, name: s.name, left: undefined, right: s, differs: true })
  return [...pairs.filter((p) => p.differs), ...pairs.filter((p) => !p.differs)]
}
