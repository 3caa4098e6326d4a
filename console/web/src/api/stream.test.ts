import { expect, it } from 'vitest'

// base is read from the page, which these tests have none of.
;(globalThis as { document?: unknown }).document = { baseURI: 'http://127.0.0.1/' }
const { Splitter } = await import('./stream')

it('cuts frames wherever the text is cut', () => {
  const text = ': hello\n\nid: 7\nevent: step_completed\ndata: {"a":1}\n\nid: 8\nevent: x\ndata: one\ndata: two\n\n: beat\n\n'
  const want = [{ id: '7', event: 'step_completed', data: '{"a":1}' }, { id: '8', event: 'x', data: 'one\ntwo' }]
  for (let size = 1; size <= text.length; size++) {
    const splitter = new Splitter()
    const got = []
    for (let i = 0; i < text.length; i += size) got.push(...splitter.push(text.slice(i, i + size)))
    expect(got).toEqual(want)
  }
})
