import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useDeferredValue, useId, useState, type KeyboardEvent } from 'react'
import { useLocation } from 'wouter'
import { call } from '../api/client'
import { runPath, to, workflowPath } from '../routes'
import { StateChip } from '../ui/Chip'
import { Dialog } from '../ui/Dialog'
import { Icon } from '../ui/Icon'
import type { Screen } from './screens'
import { strings } from './strings'

interface Hit { type: string; id: string; title: string; status?: string; workflow?: { id: string; slug: string } }
interface Choice { key: string; href: string; title: string; detail: string; icon: string; status?: string | undefined }

const icons: Record<string, string> = { workflow: 'flow', run: 'play', schedule: 'clock', template: 'grid' }

function choiceOf(h: Hit): Choice {
  const href = h.type === 'run' ? runPath(h.id) : h.type === 'workflow' ? workflowPath(h.workflow?.slug ?? h.id) : `/${h.type}s/${encodeURIComponent(h.id)}`
  return { key: h.type + h.id, href, title: h.title, detail: h.type === 'workflow' ? (h.workflow?.slug ?? '') : h.type === 'run' ? h.id : (h.workflow?.slug ?? h.id), icon: icons[h.type] ?? 'dot', status: h.status }
}

// Palette finds a screen or an object by a few characters: a combobox whose list is always open.
export function Palette({ screens, onClose }: { screens: Screen[]; onClose: () => void }) {
  const [, navigate] = useLocation()
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const id = useId()
  const q = useDeferredValue(text.trim())
  const found = useQuery({
    queryKey: ['search', q], enabled: q !== '', placeholderData: keepPreviousData, staleTime: 5_000,
    queryFn: async ({ signal }) => (await call<{ hits: Hit[] }>(to('/v1/search', { q: q.slice(0, 200) }), { signal })).data.hits,
  })
  const low = text.trim().toLowerCase()
  const choices: Choice[] = [
    ...screens.filter((s) => s.name.toLowerCase().includes(low)).map((s) => ({ key: s.href, href: s.href, title: s.name, detail: strings.goTo, icon: s.icon })),
    ...(q ? (found.data ?? []).map(choiceOf) : []),
  ]
  const here = Math.min(at, choices.length - 1)
  const go = (c: Choice | undefined) => { if (c) { onClose(); navigate(c.href) } }
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
      e.preventDefault()
      const next = (here + (e.key === 'ArrowDown' ? 1 : -1) + choices.length) % Math.max(1, choices.length)
      setAt(next)
      document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: 'nearest' })
    } else if (e.key === 'Enter') go(choices[here])
  }
  return (
    <Dialog title={strings.search} onClose={onClose} wide>
      <input type="text" role="combobox" aria-label={strings.searchLabel} aria-expanded="true" aria-controls={`${id}-list`} aria-activedescendant={choices.length ? `${id}-${here}` : undefined} aria-autocomplete="list"
        placeholder={strings.searchHint} value={text} autoFocus spellCheck={false} maxLength={200} onChange={(e) => { setText(e.target.value); setAt(0) }} onKeyDown={onKeyDown} />
      <ul className="hits" role="listbox" id={`${id}-list`} aria-label={strings.search}>
        {choices.map((c, i) => (
          <li key={c.key} id={`${id}-${i}`} role="option" aria-selected={i === here} onMouseMove={() => setAt(i)} onClick={() => go(c)}>
            <Icon shape={c.icon} /><span className="hit-title">{c.title}</span><span className="faint hit-detail">{c.detail}</span>{c.status ? <StateChip state={c.status} /> : null}
          </li>
        ))}
      </ul>
      {q && !found.isFetching && choices.length === 0 ? <p className="faint" role="status">{strings.searchEmpty}</p> : null}
    </Dialog>
  )
}
