// The filters of the list of runs, as they stand in the URL, in a request, and in a bulk change.
import { to } from '../routes'

export type Filter = Record<string, string | undefined>

export const states = ['queued', 'running', 'waiting', 'paused', 'completed', 'failed', 'cancelled'] as const
const plain = ['status', 'workflow', 'version', 'tag', 'trigger', 'schedule_id', 'started_by', 'template_id', 'error_code', 'q', 'min_duration', 'max_duration', 'created_after', 'created_before', 'ended_after', 'ended_before'] as const
export const ranges: Record<string, number> = { '1h': 3_600_000, '24h': 86_400_000, '7d': 604_800_000, '30d': 2_592_000_000 }
const minute = 60_000

// read takes what is a filter out of a URL, the order, the range and the cursor among it.
export function read(search: string): Filter {
  const filter: Filter = {}
  for (const [k, v] of new URLSearchParams(search)) if (v && ((plain as readonly string[]).includes(k) || ['order', 'range', 'cursor'].includes(k) || k.startsWith('label.'))) filter[k] = v
  return filter
}

// rangeOf is the span that is looked at; a day unless a time, or the text of an id, is given.
export function rangeOf(f: Filter): string {
  return f['range'] ?? (f['created_after'] || f['created_before'] || f['q'] || f['schedule_id'] ? 'all' : '24h')
}

// request is what the server is asked: the range becomes a time, to the minute, so that the same
// question stays the same for a while.
export function request(f: Filter, now: number): Filter {
  const span = ranges[rangeOf(f)]
  const { range: _, ...rest } = f
  return span ? { ...rest, created_after: new Date(Math.floor((now - span) / minute) * minute).toISOString() } : rest
}

// bulk is the filter of a bulk change: lists instead of words with commas.
export function bulk(f: Filter, now: number): Record<string, string | string[]> {
  const all: Record<string, string | string[]> = {}
  for (const [k, v] of Object.entries(request(f, now))) if (v && k !== 'order' && k !== 'cursor') all[k] = k === 'status' || k === 'trigger' || k === 'workflow' ? v.split(',') : v
  return all
}

// chips are the filters that are set beside the ones that have a control of their own.
export function chips(f: Filter): [string, string][] {
  const own = new Set(['status', 'q', 'order', 'range', 'cursor', 'trigger'])
  return Object.entries(f).filter((e): e is [string, string] => e[1] !== undefined && !own.has(e[0]))
}

// toggled adds a word to a list with commas, or takes it away.
export function toggled(list: string | undefined, word: string): string | undefined {
  const words = list ? list.split(',') : []
  return (words.includes(word) ? words.filter((w) => w !== word) : [...words, word]).join(',') || undefined
}

// matches reports whether a run may belong to a list, as far as that can be said here.
export function matches(f: Filter, run: { status: string; trigger: string; workflow: { id: string; slug: string } }): boolean {
  const says = (list: string | undefined, ...words: string[]) => !list || list.split(',').some((w) => words.includes(w))
  return says(f['status'], run.status) && says(f['trigger'], run.trigger) && says(f['workflow'], run.workflow.id, run.workflow.slug) && !f['q'] && !f['error_code'] && !f['cursor']
}

export const listPath = (f: Filter) => to('/runs', f)
