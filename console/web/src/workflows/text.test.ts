import { expect, it } from 'vitest'
import { recognize } from './text'

it('knows exports from definitions', () => {
  const line = '{"format":1,"slug":"a","versions":[]}'
  expect(recognize(`${line}\n\n${line}\n`)).toEqual({ kind: 'export', count: 2 })
  expect(recognize(`${line}\nname: x`)).toEqual({ kind: 'definition', format: 'json' })
  expect(recognize('  {"name": "x"}')).toEqual({ kind: 'definition', format: 'json' })
  for (const text of ['name: x\nsteps: []', '', '# {', 'null']) expect(recognize(text)).toEqual({ kind: 'definition', format: 'yaml' })
})
