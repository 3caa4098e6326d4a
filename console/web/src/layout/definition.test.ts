import { expect, it } from 'vitest'
import { parse } from '../api/lossless'
import { drawn, flatten, stepsOf } from './definition'

const definition = parse(JSON.stringify({
  name: 'x',
  steps: [
    { id: 'a', type: 'script' },
    { id: 'each', type: 'loop', depends_on: ['a', 'nobody'], config: { items: '3', steps: [{ id: 'b', type: 'script', name: 'B' }, { id: 'c', type: 'script', depends_on: ['b'] }] } },
    { id: 'a', type: 'script', depends_on: ['each'] },
    'nonsense',
    { type: 'script', on_error: 'fallback', fallback_step: 'a' },
  ],
  finally: [{ id: 'z', type: 'webhook' }],
}))

it('reads steps, bodies and handlers, and names what has no id by its place', () => {
  expect(flatten(stepsOf(definition)).map((s) => [s.id, s.parent, s.pointer])).toEqual([
    ['a', null, '/steps/0'], ['each', null, '/steps/1'], ['b', 'each', '/steps/1/config/steps/0'], ['c', 'each', '/steps/1/config/steps/1'],
    ['/steps/2', null, '/steps/2'], ['/steps/4', null, '/steps/4'], ['z', null, '/finally/0'],
  ])
})

it('draws each once, handlers below the rest', () => {
  const d = drawn(stepsOf(definition))
  expect(d.order.toSorted()).toEqual(['/steps/2', '/steps/4', '@finally', 'a', 'b', 'c', 'each', 'z'])
  const last = Math.max(...['a', 'each', '/steps/2', '/steps/4'].map((id) => (d.nodes.get(id)?.y ?? 0) + (d.nodes.get(id)?.height ?? 0)))
  expect(d.nodes.get('@finally')?.y).toBeGreaterThan(last)
})

it('makes nothing of what is no definition', () => {
  for (const v of [null, 1, 'x', [], { steps: 3 }]) expect(stepsOf(v)).toEqual([])
})
