import { expect, it } from 'vitest'

;(globalThis as { document?: unknown }).document = { baseURI: 'http://127.0.0.1/' }
const { bulk, chips, matches, read, request, toggled } = await import('./filter')

const now = Date.parse('2026-03-02T08:00:30.500Z')

it('looks at a day, to the minute, unless a time or an id is given', () => {
  expect(request(read('status=failed'), now)).toEqual({ status: 'failed', created_after: '2026-03-01T08:00:00.000Z' })
  expect(request(read('range=1h'), now)).toEqual({ created_after: '2026-03-02T07:00:00.000Z' })
  expect(request(read('range=all&label.a=b&nonsense=1'), now)).toEqual({ 'label.a': 'b' })
  expect(request(read('q=run_1'), now)).toEqual({ q: 'run_1' })
  expect(request(read('created_after=2026-01-01T00:00:00Z'), now)).toEqual({ created_after: '2026-01-01T00:00:00Z' })
})
it('asks for a bulk change about what the list shows', () => {
  expect(bulk(read('status=failed,waiting&workflow=a&range=all&order=created&cursor=x&error_code=e'), now)).toEqual({ status: ['failed', 'waiting'], workflow: ['a'], error_code: 'e' })
})
it('puts words into lists and takes them out', () => {
  expect(toggled(undefined, 'a')).toBe('a')
  expect(toggled('a,b', 'a')).toBe('b')
  expect(toggled('a', 'a')).toBe(undefined)
})
it('shows what has no control of its own as a chip', () => {
  expect(chips(read('status=failed&workflow=a&label.x=y'))).toEqual([['workflow', 'a'], ['label.x', 'y']])
})
it('knows which new runs belong to a list', () => {
  const run = { status: 'failed', trigger: 'manual', workflow: { id: 'wf_1', slug: 'a' } }
  expect(matches(read('status=failed,queued&workflow=a'), run)).toBe(true)
  expect(matches(read('status=queued'), run)).toBe(false)
  expect(matches(read('q=x'), run)).toBe(false)
})
