import { useEffect } from 'react'
import { preference } from '../ui/preferences'
import { screens } from './screens'

// typing reports whether letters belong to what has the focus.
function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

// move puts the focus on the link of the next or previous row of a list.
function move(step: number) {
  const rows = [...document.querySelectorAll<HTMLElement>('main tbody tr, main [data-row]')]
  const at = rows.findIndex((r) => r.contains(document.activeElement))
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step]
  const target = next?.querySelector<HTMLElement>('th a, th button, a, button') ?? next
  target?.focus()
  next?.scrollIntoView({ block: 'nearest' })
}

function tab(step: number) {
  const tabs = [...document.querySelectorAll<HTMLElement>('main [role=tab]')]
  const at = tabs.findIndex((t) => t.getAttribute('aria-selected') === 'true')
  if (at >= 0) tabs[(at + step + tabs.length) % tabs.length]?.click()
}

// press does what a single letter stands for, and reports whether it stands for something.
function press(key: string, act: { navigate: (path: string) => void; help: () => void }, afterG: boolean): boolean {
  if (afterG) {
    const screen = screens.find((s) => s.letter === key)
    if (screen) act.navigate(screen.href)
    return screen !== undefined
  }
  switch (key) {
    case '/': document.querySelector<HTMLElement>('main input[type=search]')?.focus(); return true
    case 'j': move(1); return true
    case 'k': move(-1); return true
    case 'x': document.activeElement?.closest('tr')?.querySelector<HTMLElement>('input[type=checkbox]')?.click(); return true
    case '[': tab(-1); return true
    case ']': tab(1); return true
    case '?': act.help(); return true
  }
  return false
}

// useKeys listens for the keys of the whole console. Single letters can be switched off
// (WCAG 2.1.4), and mean nothing while something is typed or a dialog is open.
export function useKeys(navigate: (path: string) => void, palette: () => void, help: () => void) {
  useEffect(() => {
    let g = 0
    const down = (e: KeyboardEvent) => {
      if ((e.metaKey || e.ctrlKey) && !e.altKey && !e.shiftKey && e.key.toLowerCase() === 'k') {
        e.preventDefault()
        palette()
        return
      }
      if (e.metaKey || e.ctrlKey || e.altKey || typing(e.target) || document.querySelector('[role=dialog]') || !preference('letters', true)) return
      const afterG = e.timeStamp - g < 1_000
      g = e.key === 'g' && !afterG ? e.timeStamp : 0
      if (g === 0 && press(e.key, { navigate, help }, afterG)) e.preventDefault()
    }
    document.addEventListener('keydown', down)
    return () => document.removeEventListener('keydown', down)
  }, [navigate, palette, help])
}
