import { useLocation } from 'wouter'
import type { WorkflowFilter } from '../api/queries'
import { to } from '../routes'
import { stateOf } from '../status/states'
import { strings } from './strings'

const names = ['q', 'status', 'tag', 'health', 'order', 'template_id', 'cursor'] as const

// readFilter is what the URL asks for.
export function readFilter(search: string): Record<(typeof names)[number], string | undefined> {
  const params = new URLSearchParams(search)
  return Object.fromEntries(names.map((n) => [n, params.get(n) ?? undefined])) as Record<(typeof names)[number], string | undefined>
}

// Filters narrow the list of workflows. known are tags that are in sight: there is no list of all.
export function Filters({ filter, known }: { filter: WorkflowFilter; known: string[] }) {
  const [, navigate] = useLocation()
  const set = (change: WorkflowFilter) => navigate(to('/workflows', { ...filter, cursor: undefined, ...change }), { replace: true })
  const tags = [...new Set([...known, ...(filter.tag ? [filter.tag] : [])])].sort()
  return (
    <form className="filters" role="search" onSubmit={(e) => e.preventDefault()}>
      <label>{strings.search} <input type="search" defaultValue={filter.q} onChange={(e) => set({ q: e.target.value || undefined })} /></label>
      <label>{strings.status} <select value={filter.status ?? ''} onChange={(e) => set({ status: e.target.value || undefined })}>
        <option value="">{strings.anyStatus}</option>{['active', 'paused', 'draft', 'archived'].map((s) => <option key={s} value={s}>{stateOf(s).word}</option>)}
      </select></label>
      <label>{strings.tag} <select value={filter.tag ?? ''} onChange={(e) => set({ tag: e.target.value || undefined })}>
        <option value="">{strings.anyTag}</option>{tags.map((t) => <option key={t}>{t}</option>)}
      </select></label>
      <label>{strings.health} <select value={filter.health ?? ''} onChange={(e) => set({ health: e.target.value || undefined })}><option value="">{strings.anyHealth}</option><option value="failing">{strings.failing}</option></select></label>
      <label>{strings.order} <select value={filter.order ?? ''} onChange={(e) => set({ order: e.target.value || undefined })}><option value="">{strings.changedLast}</option><option value="name">{strings.byName}</option></select></label>
    </form>
  )
}
