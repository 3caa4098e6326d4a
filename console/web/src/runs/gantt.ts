import type { StepNode } from '../layout/definition'
import type { Step } from './live'

export interface Bar { step: Step; from: number; to: number; critical: boolean } // ms

// bars are the steps that have begun, in the order in which they did. Those on the critical path
// are the last to end, and before each the one of its dependencies that ended last.
export function bars(steps: Step[], nodes: StepNode[], now: number): Bar[] {
  const begun = steps.filter((s) => s.started_at !== null)
  const list = begun.map((step) => {
    const from = Date.parse(step.started_at as string)
    return { step, from, to: step.completed_at ? Date.parse(step.completed_at) : Math.max(now, from), critical: false }
  }).sort((a, b) => a.from - b.from)
  const byID = new Map(list.map((b) => [b.step.step_id, b]))
  const needs = new Map(nodes.map((n) => [n.id, n.dependsOn]))
  let at = list.reduce<Bar | undefined>((last, b) => (!last || b.to >= last.to ? b : last), undefined)
  while (at && !at.critical) {
    at.critical = true
    at = (needs.get(at.step.step_id) ?? []).map((id) => byID.get(id)).reduce<Bar | undefined>((last, b) => (b && (!last || b.to > last.to) ? b : last), undefined)
  }
  return list
}

// ticks are at most six round offsets, in ms, within a span.
export function ticks(span: number): number[] {
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000, 21_600_000, 86_400_000, 604_800_000, 2_592_000_000, 31_536_000_000]
  const step = steps.find((s) => span / s <= 6) ?? span
  const list: number[] = []
  for (let t = 0; t <= span; t += step) list.push(t)
  return list
}
