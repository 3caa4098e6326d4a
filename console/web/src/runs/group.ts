import type { Step } from './live'

export type Group = 'failed' | 'open' | 'pending' | 'done' | 'skipped'
export type Row = { kind: 'head'; group: Group; count: number } | { kind: 'step'; step: Step }

const order: Group[] = ['failed', 'open', 'done', 'pending', 'skipped']

export function groupOf(s: Step): Group {
  switch (s.status) {
    case 'failed': return 'failed'
    case 'completed': return 'done'
    case 'pending': return 'pending'
    case 'skipped': case 'cancelled': return 'skipped'
  }
  return 'open'
}

// grouped lists steps under the heads of their groups, in the order of the definition within one.
export function grouped(steps: Step[]): Row[] {
  const groups = new Map<Group, Step[]>(order.map((g) => [g, []]))
  for (const s of steps) groups.get(groupOf(s))?.push(s)
  return order.flatMap((group) => {
    const list = groups.get(group) ?? []
    return list.length ? [{ kind: 'head' as const, group, count: list.length }, ...list.map((step) => ({ kind: 'step' as const, step }))] : []
  })
}

// chosen are the steps that match what is looked for.
export function chosen(steps: Step[], only: string | undefined, q: string | undefined): Step[] {
  const text = q?.toLowerCase()
  return steps.filter((s) => (only === 'failed' ? groupOf(s) === 'failed' || (s.iterations?.failed ?? 0) > 0 : only === 'open' ? groupOf(s) === 'open' : true)
    && (!text || s.step_id.toLowerCase().includes(text) || s.name.toLowerCase().includes(text)))
}
