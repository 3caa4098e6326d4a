import { expect, it } from 'vitest'

;(globalThis as { document?: unknown }).document = { baseURI: 'http://127.0.0.1/' }
const { merge } = await import('./live')
type Step = Parameters<typeof merge>[0][number]

const step = (step_id: string, status: string, seq: number) => ({ step_id, status, seq }) as Step

it('puts what changed at its place, and never goes back', () => {
  const before = [step('a', 'running', 3), step('b', 'pending', 0), step('c', 'pending', 0)]
  const after = merge(before, [step('b', 'running', 5), step('a', 'completed', 4)])
  expect(after.map((s) => `${s.step_id} ${s.status}`)).toEqual(['a completed', 'b running', 'c pending'])
  expect(merge(after, [step('a', 'running', 3)])[0]?.status).toBe('completed')
  expect(merge(after, [])).toBe(after)
})
