import { expect, it } from 'vitest'
import type { StepNode } from '../layout/definition'
import { bars, ticks } from './gantt'
import { versus } from './versus'

;(globalThis as { document?: unknown }).document = { baseURI: 'http://127.0.0.1/' }
const { chosen, grouped } = await import('./group')
type Step = Parameters<typeof grouped>[0][number]

const step = (step_id: string, status: string, more: object = {}) => ({ step_id, name: step_id.toUpperCase(), status, started_at: null, completed_at: null, ...more }) as Step
const at = (s: number) => new Date(s * 1000).toISOString()

it('puts failed steps first, and keeps the order of the definition', () => {
  const rows = grouped([step('a', 'completed'), step('b', 'failed'), step('c', 'retrying'), step('d', 'failed'), step('e', 'pending'), step('f', 'skipped'), step('g', 'waiting')])
  expect(rows.map((r) => (r.kind === 'head' ? `${r.group} ${r.count}` : r.step.step_id))).toEqual(['failed 2', 'b', 'd', 'open 2', 'c', 'g', 'done 1', 'a', 'pending 1', 'e', 'skipped 1', 'f'])
})
it('finds steps by name, state and failed iterations', () => {
  const steps = [step('a', 'completed', { iterations: { failed: 2 } }), step('b', 'failed'), step('c', 'running')]
  expect(chosen(steps, 'failed', undefined).map((s) => s.step_id)).toEqual(['a', 'b'])
  expect(chosen(steps, 'open', undefined).map((s) => s.step_id)).toEqual(['c'])
  expect(chosen(steps, undefined, 'B').map((s) => s.step_id)).toEqual(['b'])
})
it('marks the critical path: back from the last end by what ended last before', () => {
  const steps = [step('a', 'completed', { started_at: at(0), completed_at: at(1) }), step('b', 'completed', { started_at: at(0), completed_at: at(5) }), step('c', 'running', { started_at: at(5) }), step('d', 'pending')]
  const nodes = [{ id: 'c', dependsOn: ['a', 'b'] }] as StepNode[]
  const list = bars(steps, nodes, 9_000)
  expect(list.map((b) => [b.step.step_id, b.from, b.to, b.critical])).toEqual([['a', 0, 1000, false], ['b', 0, 5000, true], ['c', 5000, 9000, true]])
})
it('has few round ticks', () => {
  for (const span of [1, 7, 99, 4_500, 61_000, 86_400_000, 1e12]) expect(ticks(span).length).toBeLessThanOrEqual(7)
  expect(ticks(4_500)).toEqual([0, 1000, 2000, 3000, 4000])
})
it('puts two runs beside each other, what differs first', () => {
  const pairs = versus([step('a', 'completed'), step('b', 'failed'), step('old', 'completed')], [step('a', 'completed'), step('b', 'completed'), step('new', 'pending')])
  expect(pairs.map((p) => [p.id, p.left?.status, p.right?.status, p.differs])).toEqual([['b', 'failed', 'completed', true], ['old', 'completed', undefined, true], ['new', undefined, 'pending', true], ['a', 'completed', 'completed', false]])
})
