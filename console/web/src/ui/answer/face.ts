// How an answer is asked for: by buttons where there are few, else by a form.
import { print, type Value } from '../../api/lossless'
import { isSchema, optionsOf, propertiesOf, show, titleOf } from '../schema/kinds'

export interface Button { word: string; payload: string } // payload is JSON
export type Face = { kind: 'buttons'; buttons: Button[] } | { kind: 'form' }

const most = 5 // buttons

const wordOf = (v: Value) => (typeof v === 'string' ? v : print(v))

function yesNo(name: string): [string, string] {
  return /^(approved?|ok|accepted?|go)$/i.test(name) ? ['Approve', 'Decline'] : [`${name}: yes`, `${name}: no`]
}

// answerFace: choices and an enum are a button each, one boolean is two.
export function answerFace(schema: Value, choices: string[]): Face {
  if (choices.length > 0 && choices.length <= most) return { kind: 'buttons', buttons: choices.map((c) => ({ word: c, payload: JSON.stringify(c) })) }
  if (!isSchema(schema)) return { kind: 'form' }
  const root = show(schema, schema)
  if (root.kind === 'boolean') return pair('', 'approved')
  if (root.kind === 'enum' && optionsOf(root.schema).length <= most) return { kind: 'buttons', buttons: optionsOf(root.schema).map((v) => ({ word: wordOf(v), payload: print(v) })) }
  if (root.kind !== 'object') return { kind: 'form' }
  const members = propertiesOf(root.schema)
  const only = members[0]
  if (members.length !== 1 || !only) return { kind: 'form' }
  const shown = show(only[1], schema)
  return shown.kind === 'boolean' && !shown.nullable ? pair(only[0], titleOf(shown.schema, only[0])) : { kind: 'form' }
}

function pair(member: string, title: string): Face {
  const payload = (v: boolean) => (member === '' ? String(v) : `{${JSON.stringify(member)}:${v}}`)
  const [yes, no] = yesNo(title)
  return { kind: 'buttons', buttons: [{ word: yes, payload: payload(true) }, { word: no, payload: payload(false) }] }
}
