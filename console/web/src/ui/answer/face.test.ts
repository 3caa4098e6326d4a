import { expect, it } from 'vitest'
import { parse } from '../../api/lossless'
import { answerFace } from './face'

const face = (schema: string, choices: string[] = []) => {
  const f = answerFace(parse(schema), choices)
  return f.kind === 'form' ? 'form' : f.buttons.map((b) => `${b.word}=${b.payload}`)
}

it('asks by buttons where there are few answers', () => {
  expect(face('null', ['ship', 'hold "it"'])).toEqual(['ship="ship"', 'hold "it"="hold \\"it\\""'])
  expect(face('{"type":"object","properties":{"approved":{"type":"boolean"}}}')).toEqual(['Approve={"approved":true}', 'Decline={"approved":false}'])
  expect(face('{"type":"object","properties":{"x":{"type":"boolean","title":"Ship it"}}}')).toEqual(['Ship it: yes={"x":true}', 'Ship it: no={"x":false}'])
  expect(face('{"type":"boolean"}')).toEqual(['Approve=true', 'Decline=false'])
  expect(face('{"enum":[1.0,"a"]}')).toEqual(['1.0=1.0', 'a="a"'])
})
it('asks by a form else', () => {
  for (const s of ['null', 'true', '{"type":"string"}', '{"properties":{"a":{"type":"boolean"},"b":{}}}', '{"properties":{"a":{"type":["boolean","null"]}}}', '{"enum":[1,2,3,4,5,6]}']) expect(face(s), s).toBe('form')
  expect(face('null', ['1', '2', '3', '4', '5', '6'])).toBe('form')
})
