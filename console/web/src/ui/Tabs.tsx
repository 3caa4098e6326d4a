import { useId, type KeyboardEvent, type ReactNode } from 'react'
import './tabs.css'

// Tabs are the views of one thing. Which one is open is the caller's, as it stands in the URL.
export function Tabs<T extends string>({ tabs, open, onOpen, label, aside, children }: { tabs: [T, string][]; open: T; onOpen: (t: T) => void; label: string; aside?: ReactNode; children: ReactNode }) {
  const id = useId()
  const onKeyDown = (e: KeyboardEvent) => {
    const step = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0
    if (!step) return
    e.preventDefault()
    const next = tabs[(tabs.findIndex(([t]) => t === open) + step + tabs.length) % tabs.length]
    if (!next) return
    onOpen(next[0])
    document.getElementById(`${id}-${next[0]}`)?.focus()
  }
  return (
    <>
      <div className="tabs">
        <div role="tablist" aria-label={label} onKeyDown={onKeyDown}>
          {tabs.map(([t, name]) => <button key={t} type="button" role="tab" id={`${id}-${t}`} tabIndex={t === open ? 0 : -1} aria-selected={t === open} aria-controls={`${id}-panel`} onClick={() => onOpen(t)}>{name}</button>)}
        </div>
        {aside}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${open}`}>{children}</div>
    </>
  )
}
