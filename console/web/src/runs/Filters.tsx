import { useQuery } from '@tanstack/react-query'
import { call } from '../api/client'
import { poll } from '../api/events'
import { to } from '../routes'
import { stateOf } from '../status/states'
import { Icon } from '../ui/Icon'
import { chips, rangeOf, ranges, states, toggled, type Filter } from './filter'
import { strings } from './strings'

const words = strings.list

// useOpen counts the runs that have not ended, by state.
const useOpen = (workflow: string | undefined) => useQuery({
  queryKey: ['stats', 'open', workflow], refetchInterval: poll,
  queryFn: async ({ signal }) => (await call<{ open: Record<string, number> }>(to('/api/workflows/runs/stats', { workflow, bucket: '1h' }), { signal })).data.open,
})

// Filters are the controls above the list; what is set and has none is a chip to take away.
export function Filters({ filter, onChange }: { filter: Filter; onChange: (c: Filter) => void }) {
  const open = useOpen(filter['workflow']?.includes(',') ? undefined : filter['workflow']).data
  const chosen = (filter['status'] ?? '').split(',')
  return (
    <div className="run-filters" role="search" aria-label="Filters">
      <div className="facets" role="group" aria-label={words.state}>
        {states.map((s) => {
          const look = stateOf(s), n = open?.[s]
          return <button key={s} type="button" className={`tone-${look.tone}`} aria-pressed={chosen.includes(s)} onClick={() => onChange({ status: toggled(filter['status'], s) })}><Icon shape={look.shape} /><span>{look.word}</span>{n ? <b>{n}</b> : null}</button>
        })}
      </div>
      <div className="filters">
        <label>{words.range} <select value={rangeOf(filter)} onChange={(e) => onChange({ range: e.target.value, created_after: undefined, created_before: undefined })}>{[...Object.keys(ranges), 'all'].map((r) => <option key={r} value={r}>{words.ranges[r]}</option>)}</select></label>
        <label>{words.order} <select value={filter['order'] ?? '-created'} onChange={(e) => onChange({ order: e.target.value === '-created' ? undefined : e.target.value })}>{Object.entries(words.orders).map(([o, name]) => <option key={o} value={o}>{name}</option>)}</select></label>
        <label>{words.trigger} <select value={filter['trigger'] ?? ''} onChange={(e) => onChange({ trigger: e.target.value || undefined })}><option value="">{words.anyTrigger}</option>{['manual', 'schedule', 'webhook', 'api', 'event'].map((t) => <option key={t}>{t}</option>)}</select></label>
        <form onSubmit={(e) => { e.preventDefault(); onChange({ q: String(new FormData(e.currentTarget).get('q') ?? '').trim() || undefined }) }}><input type="search" name="q" aria-label={words.q} placeholder={words.q} defaultValue={filter['q']} key={filter['q']} /></form>
        <form onSubmit={(e) => { e.preventDefault(); onChange({ workflow: String(new FormData(e.currentTarget).get('workflow') ?? '').trim() || undefined }) }}><input type="search" name="workflow" aria-label={words.workflow} placeholder={words.workflow} defaultValue={filter['workflow']} key={filter['workflow']} /></form>
        {chips(filter).map(([k, v]) => <button key={k} type="button" className="filter-chip" onClick={() => onChange({ [k]: undefined })} aria-label={words.without(`${k} ${v}`)}>{k.replace('label.', '')}: {v} <Icon shape="cross" /></button>)}
      </div>
    </div>
  )
}
