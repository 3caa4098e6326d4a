// Places as the server names them: lines from 1, columns from 1 in characters, not in the units of
// JavaScript's texts.
import { keyRangeAt, rangeAt, type Range, type Read } from './document'

export interface Diagnostic { code: string; severity: 'error' | 'warning'; message: string; pointer: string; line?: number; column?: number; suggestion?: string; related?: string[] }

// offsetAt is the place in a text, at most its end.
export function offsetAt(text: string, line: number, column: number): number {
  let at = 0
  for (let n = 1; n < line; n++) {
    const end = text.indexOf('\n', at)
    if (end < 0) return text.length
    at = end + 1
  }
  for (let n = 1; n < column && at < text.length && text[at] !== '\n'; n++) at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1
  return at
}

const word = /^[\p{L}\p{N}_$.-]+/u

// spotOf is what a diagnostic is about: the key, the value or the word that stands at its place.
// A place alone is shown as one character.
export function spotOf(r: Read, d: Diagnostic): Range {
  if (!d.line) return rangeAt(r, d.pointer) ?? { from: 0, to: Math.min(1, r.text.length) }
  const from = offsetAt(r.text, d.line, d.column ?? 1)
  for (const range of [keyRangeAt(r, d.pointer), rangeAt(r, d.pointer)]) {
    if (range?.from === from && !r.text.slice(range.from, range.to).includes('\n')) return range
  }
  const length = word.exec(r.text.slice(from, from + 200))?.[0].length ?? 0
  return { from, to: Math.min(r.text.length, from + Math.max(1, length)) }
}

const name = /[\p{L}\p{N}_$-]+/gu

// fixOf is the change that a diagnostic's suggestion means: the name that it speaks of is put right,
// where it stands once at the place. null where that is not sure.
export function fixOf(r: Read, d: Diagnostic): { from: number; to: number; insert: string } | null {
  if (!d.suggestion || !/^[\p{L}\p{N}_$.-]+$/u.test(d.suggestion)) return null
  const spoken = new Set(d.message.match(name))
  const spot = spotOf(r, d)
  const key = keyRangeAt(r, d.pointer)
  const whole = key?.from === spot.from ? spot : rangeAt(r, d.pointer) ?? spot
  const found = [...r.text.slice(whole.from, Math.min(whole.to, whole.from + 20_000)).matchAll(name)].filter((m) => spoken.has(m[0]) && m[0] !== d.suggestion)
  const [first] = found
  if (!first || found.some((m) => m[0] !== first[0])) return null
  const from = whole.from + first.index
  return { from, to: from + first[0].length, insert: d.suggestion }
}
