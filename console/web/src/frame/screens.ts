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

export const administration: Screen[] = [
  { href: '/agents', name: 'Agents', icon: 'spark', needs: 'view' },
  { href: '/secrets', name: 'Secrets', icon: 'lock', needs: 'admin' },
  { href: '/access', name: 'Access', icon: 'key', needs: 'admin' },
  { href: '/audit', name: 'Audit', icon: 'list', needs: 'admin' },
  { href: '/system', name: 'System', icon: 'gauge', needs: 'admin' },
]
