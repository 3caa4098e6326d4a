import { strings } from '../strings'
import type { Action } from '../api/queries'

// Screen is a line of the navigation; needs is the right without which it shows nothing.
export interface Screen { href: string; name: string; icon: string; letter?: string; needs?: Action }

export const screens: Screen[] = [
  { href: '/', name: strings.nav.overview, icon: 'home', letter: 'o' },
  { href: '/workflows', name: strings.nav.workflows, icon: 'flow', letter: 'w' },
  { href: '/runs', name: strings.nav.runs, icon: 'play', letter: 'r' },
  { href: '/approvals', name: strings.nav.approvals, icon: 'hand', letter: 'a' },
  { href: '/schedules', name: strings.nav.schedules, icon: 'clock', letter: 's' },
  { href: '/templates', name: strings.nav.templates, icon: 'grid', letter: 't' },
]

// What administrators alone need is reached by the API and the command line; no screen of it is
// named here before it is there.
export const administration: Screen[] = []
