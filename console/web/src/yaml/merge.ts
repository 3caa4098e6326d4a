// Two people changed one definition: their changes step by step, and a text that has both.
import { isMap, type Node, type YAMLMap } from 'yaml'
import { print, type Value } from '../api/lossless'
import { keyOf, tokens, type Change } from '../diff/changes'
import { flatten, type StepNode } from '../layout/definition'
import { afterColon, contentEnd, keyText, placeAt, rangeAt, read, type Read } from './document'
import { applied, isJSON, itemRange, removeKey, removeStep } from './edit'

// Row is a step, or the settings, that somebody changed. Of a clash one of the two must be taken.
export interface Row { key: string; theirs: Change | null; mine: Change | null; clash: boolean }

const same = (a: Change, b: Change) => a.change === b.change && a.change !== 'added' && print(a as unknown as Value) === print(b as unknown as Value)

// rowsOf pairs the changes of two sides. parents has the loop of each step: who changes a loop as a
// whole clashes with who changes a step in it.
export function rowsOf(theirs: Change[], mine: Change[], parents: Map<string, string | null>): Row[] {
  const own = new Map(mine.map((c) => [keyOf(c), c]))
  for (const c of mine) if (c.previous_id) own.set(c.previous_id, c)
  const within = (key: string) => mine.find((c) => { for (let p = parents.get(keyOf(c)); p; p = parents.get(p)) if (p === key) return true; return false })
  const rows = theirs.map((t): Row => {
    const m = own.get(keyOf(t)) ?? own.get(t.previous_id ?? '') ?? within(keyOf(t)) ?? null
    return { key: keyOf(t), theirs: t, mine: m, clash: m !== null && !same(t, m) && !settingsApart(t, m) }
  })
  const paired = new Set(rows.map((r) => r.mine))
  return [...rows, ...mine.filter((m) => !paired.has(m)).map((m): Row => ({ key: keyOf(m), theirs: null, mine: m, clash: false }))]
}

const settingOf = (path: string) => tokens(path)[0] ?? ''

// settingsApart reports whether both changed settings, but none that the other did.
function settingsApart(a: Change, b: Change): boolean {
  if (a.step_id !== null || b.step_id !== null) return false
  const of = new Set(a.fields?.map((f) => settingOf(f.path)))
  return !(b.fields ?? []).some((f) => of.has(settingOf(f.path)))
}

const byId = (r: Read) => new Map(flatten(r.steps).map((s) => [s.id, s]))
const columnOf = (text: string, at: number) => at - (text.lastIndexOf('\n', at - 1) + 1)

// moved shifts all lines but the first of a text.
function moved(text: string, by: number): string {
  const [first, ...rest] = text.split('\n')
  return [first, ...rest.map((l) => (l.trim() === '' ? l : by >= 0 ? ' '.repeat(by) + l : l.slice(Math.min(-by, l.length - l.trimStart().length))))].join('\n')
}

// sliceOf is a step's text, as it can stand at a column of a list.
function sliceOf(r: Read, s: StepNode, column: number, flow: boolean): string {
  const item = itemRange(r, s.pointer)
  if (!item || flow) return print(s.raw)
  return isJSON(r) ? print(s.raw).replaceAll('\n', '\n' + ' '.repeat(column)) : moved(r.text.slice(item.from, item.to), column - columnOf(r.text, item.from))
}

const parentList = (r: Read, pointer: string) => placeAt(r.doc, tokens(pointer).slice(0, -1))?.node
const isFlow = (n: unknown) => Boolean((n as { flow?: boolean } | null | undefined)?.flow)

// replaceStep puts their text of a step in the place of ours.
function replaceStep(mine: Read, theirs: Read, from: string, to: string): string | null {
  const old = byId(mine).get(from), now = byId(theirs).get(to)
  const item = old ? itemRange(mine, old.pointer) : null
  if (!old || !now || !item) return null
  return applied(mine.text, { from: item.from, to: item.to, insert: sliceOf(theirs, now, columnOf(mine.text, item.from), isFlow(parentList(mine, old.pointer))) })
}

// insertStep adds their step behind the one that stands before it in their list, or first.
function insertStep(mine: Read, theirs: Read, id: string): string | null {
  const now = byId(theirs).get(id)
  if (!now || byId(mine).has(id)) return null
  const siblings = flatten(theirs.steps).filter((s) => s.parent === now.parent && s.list === now.list)
  const before = siblings.slice(0, siblings.indexOf(now)).reverse().find((s) => byId(mine).has(s.id))
  const neighbour = before ?? siblings.find((s) => byId(mine).has(s.id))
  const place = neighbour ? byId(mine).get(neighbour.id) : undefined
  const item = place ? itemRange(mine, place.pointer) : null
  if (!place || !item) return null
  if (isFlow(parentList(mine, place.pointer))) {
    return before ? applied(mine.text, { from: item.to, to: item.to, insert: ', ' + print(now.raw) }) : applied(mine.text, { from: item.from, to: item.from, insert: print(now.raw) + ', ' })
  }
  const column = columnOf(mine.text, item.from), dash = columnOf(mine.text, item.dash)
  const text = `${' '.repeat(dash)}-${' '.repeat(column - dash - 1)}${sliceOf(theirs, now, column, false)}`
  if (!before) {
    const line = mine.text.lastIndexOf('\n', item.dash - 1) + 1
    return applied(mine.text, { from: line, to: line, insert: text + '\n' })
  }
  const end = mine.text.indexOf('\n', item.to)
  const at = end < 0 ? mine.text.length : end
  return applied(mine.text, { from: at, to: at, insert: '\n' + text })
}

// takeSetting puts their value of a field beside the steps in the place of ours.
function takeSetting(mine: Read, theirs: Read, name: string): string | null {
  const pointer = '/' + name.replaceAll('~', '~0').replaceAll('/', '~1')
  const now = placeAt(theirs.doc, [name]), old = placeAt(mine.doc, [name])
  if (!now?.pair) {
    const edit = removeKey(mine, pointer)
    return edit && applied(mine.text, edit)
  }
  const start = (now.pair.key as Node).range?.[0] as number
  const range = rangeAt(theirs, pointer)
  if (!range) return null
  const flow = isJSON(mine)
  const value = flow || isJSON(theirs) ? `${flow ? JSON.stringify(name) : name}: ${print((theirs.definition as { [key: string]: Value })[name] as Value)}` : theirs.text.slice(start, contentEnd(theirs.text, now.node, afterColon(theirs.text, now.pair)))
  if (old?.pair) {
    const from = (old.pair.key as Node).range?.[0] as number
    return applied(mine.text, { from, to: contentEnd(mine.text, old.node, afterColon(mine.text, old.pair)), insert: value })
  }
  const map = mine.doc.contents
  if (!isMap(map)) return null
  const list = (map as YAMLMap).items.find((p) => keyText(p) === 'steps') ?? (map as YAMLMap).items[0]
  const at = (list?.key as Node | undefined)?.range?.[0] ?? 0
  return applied(mine.text, { from: at, to: at, insert: flow ? value + ', ' : value + '\n' })
}

function takeOne(mine: Read, theirs: Read, c: Change): string | null {
  if (c.step_id === null) {
    let text: string | null = mine.text
    for (const name of new Set(c.fields?.map((f) => settingOf(f.path)))) text = text === null ? null : takeSetting(read(text), theirs, name)
    return text
  }
  switch (c.change) {
    case 'added': return insertStep(mine, theirs, c.step_id)
    case 'removed': {
      const s = byId(mine).get(c.step_id)
      const edit = s ? removeStep(mine, s.pointer) : null
      return edit && applied(mine.text, edit)
    }
    case 'moved': return mine.text
    default: return byId(mine).has(c.step_id) || c.previous_id ? replaceStep(mine, theirs, c.previous_id && byId(mine).has(c.previous_id) ? c.previous_id : c.step_id, c.step_id) : insertStep(mine, theirs, c.step_id)
  }
}

// merged is my text with some of their changes in it. left are those that the text has no place
// for, which a person must see to.
export function merged(mine: string, theirs: string, take: Change[]): { text: string; left: Change[] } {
  const other = read(theirs)
  const left: Change[] = []
  let text = mine
  for (const c of take) {
    const next = takeOne(read(text), other, c)
    if (next === null) left.push(c)
    else text = next
  }
  return { text, left }
}
