// The usual expressions as forms. Whatever they do not know stays text: what an expression
// means is for the server to say.

export type Kind = 'minutes' | 'hourly' | 'daily' | 'weekdays' | 'weekly' | 'monthly' | 'fields' | 'text'
export const kinds: Kind[] = ['minutes', 'hourly', 'daily', 'weekdays', 'weekly', 'monthly', 'fields', 'text']

export interface Preset { every: number; minute: number; time: string; days: number[]; day: number }
export const usual: Preset = { every: 15, minute: 0, time: '02:00', days: [1], day: 1 }

const two = (n: number) => String(n).padStart(2, '0')

// build writes a preset as an expression of five fields.
export function build(kind: Kind, p: Preset): string {
  const [hour, minute] = p.time.split(':').map(Number)
  const at = `${minute || 0} ${hour || 0}`
  switch (kind) {
    case 'minutes': return `*/${p.every} * * * *`
    case 'hourly': return `${p.minute} * * * *`
    case 'daily': return `${at} * * *`
    case 'weekdays': return `${at} * * 1-5`
    case 'weekly': return `${at} * * ${[...p.days].sort().join(',') || '1'}`
    case 'monthly': return `${at} ${p.day} * *`
    default: return `${at} * * *`
  }
}

const patterns: [Kind, RegExp, (m: string[]) => Partial<Preset>][] = [
  ['minutes', /^\*\/(5|10|15|20|30) \* \* \* \*$/, (m) => ({ every: Number(m[1]) })],
  ['hourly', /^([1-5]?\d) \* \* \* \*$/, (m) => ({ minute: Number(m[1]) })],
  ['daily', /^([1-5]?\d) (1?\d|2[0-3]) \* \* \*$/, (m) => ({ time: clock(m) })],
  ['weekdays', /^([1-5]?\d) (1?\d|2[0-3]) \* \* 1-5$/, (m) => ({ time: clock(m) })],
  ['weekly', /^([1-5]?\d) (1?\d|2[0-3]) \* \* ([0-6](?:,[0-6])*)$/, (m) => ({ time: clock(m), days: String(m[3]).split(',').map(Number) })],
  ['monthly', /^([1-5]?\d) (1?\d|2[0-3]) ([1-9]|[12]\d|3[01]) \* \*$/, (m) => ({ time: clock(m), day: Number(m[3]) })],
]

const clock = (m: string[]) => `${two(Number(m[2]))}:${two(Number(m[1]))}`

// read is the form that an expression fits, and its values; text for all others.
export function read(expression: string): { kind: Kind; preset: Preset } {
  const text = expression.trim().replace(/\s+/g, ' ')
  for (const [kind, pattern, values] of patterns) {
    const m = pattern.exec(text)
    if (m) return { kind, preset: { ...usual, ...values([...m]) } }
  }
  return { kind: text.split(' ').length === 5 ? 'fields' : 'text', preset: usual }
}
