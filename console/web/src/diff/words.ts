// What differs between two texts, by words: pieces that both have, that are gone, that are new.
export interface Piece { kind: 'same' | 'gone' | 'new'; text: string }

const token = /\s+|[\p{L}\p{N}_]+|[^\s]/gu
const budget = 1_000_000 // cells of the table; above it the middle is replaced whole

// words compares texts. Joined, the pieces that are same or gone are before, and those that are
// same or new are after.
export function words(before: string, after: string): Piece[] {
  const a = before.match(token) ?? [], b = after.match(token) ?? []
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  const pieces: Piece[] = []
  const push = (kind: Piece['kind'], text: string) => {
    const last = pieces[pieces.length - 1]
    if (text === '') return
    if (last?.kind === kind) last.text += text
    else pieces.push({ kind, text })
  }
  push('same', a.slice(0, head).join(''))
  middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail), push)
  push('same', a.slice(a.length - tail).join(''))
  return pieces
}

// middle writes the difference of what has no common beginning or end.
function middle(a: string[], b: string[], push: (kind: Piece['kind'], text: string) => void) {
  if (a.length * b.length > budget) {
    push('gone', a.join(''))
    push('new', b.join(''))
    return
  }
  const width = b.length + 1
  const longest = new Uint32Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * width + j] = a[i] === b[j]
        ? (longest[(i + 1) * width + j + 1] as number) + 1
        : Math.max(longest[(i + 1) * width + j] as number, longest[i * width + j + 1] as number)
    }
  }
  let i = 0, j = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { push('same', a[i] as string); i++; j++ }
    else if (i < a.length && (j === b.length || (longest[(i + 1) * width + j] as number) >= (longest[i * width + j + 1] as number))) push('gone', a[i++] as string)
    else push('new', b[j++] as string)
  }
}

// folded shortens what is the same in long texts to its ends, so that what differs is seen.
export function folded(pieces: Piece[], keep = 40): Piece[] {
  return pieces.map((p, i) => {
    if (p.kind !== 'same' || p.text.length <= 3 * keep) return p
    const head = i === 0 ? '' : p.text.slice(0, keep), tail = i === pieces.length - 1 ? '' : p.text.slice(-keep)
    return { kind: 'same', text: `${head} … ${tail}` }
  })
}
