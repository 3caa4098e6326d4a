import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'
import { call } from '../api/client'
import { useInfo } from '../api/queries'
import type { Names } from '../yaml/complete'
import type { Schema } from '../yaml/schema'
import { Keeper, type Keeping } from './keeper'
import type { Start } from './load'

// useSettled is a text a little after it has stopped changing; longer for long ones.
export function useSettled(text: string): string {
  const [settled, set] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => set(text), text.length > 200_000 ? 800 : 150)
    return () => clearTimeout(timer)
  }, [text])
  return settled
}

export const useSchema = (): Schema | undefined => useQuery({ queryKey: ['schema'], staleTime: Infinity, queryFn: async () => (await call<Schema>('/schemas/definition.json')).data }).data

// useNames are the secrets and agents that expressions and fields may name. Only administrators may
// list them; to others those are offered that the text names already.
export function useNames(): Names {
  const enabled = useInfo().data?.can.includes('admin') ?? false
  const secrets = useQuery({ queryKey: ['names', 'secrets'], staleTime: 60_000, retry: false, enabled, queryFn: async () => (await call<{ secrets: { name: string }[] }>('/v1/secrets?limit=200')).data.secrets.map((s) => s.name) })
  const agents = useQuery({ queryKey: ['names', 'agents'], staleTime: 60_000, retry: false, enabled, queryFn: async () => (await call<{ agents: { id: string }[] }>('/v1/agents?limit=200')).data.agents.map((a) => a.id) })
  return useMemo(() => ({ secrets: secrets.data ?? [], agents: agents.data ?? [] }), [secrets.data, agents.data])
}

// useKeeper keeps the draft for as long as the editor is open. What is not saved yet is saved when
// the page is hidden, and closing it asks.
export function useKeeper(slug: string, me: string, start: Start): { keeper: Keeper; keeping: Keeping } {
  const [keeping, tell] = useState<Keeping>(start.draft ? { state: 'saved', at: start.draft.updated_at } : { state: 'clean' })
  const keeper = useMemo(() => new Keeper(slug, me, start.source.format, { text: start.source.text, etag: start.draft?.etag ?? '', base: start.base }, tell), [slug, me, start])
  useEffect(() => {
    const hide = () => { if (document.visibilityState === 'hidden') void keeper.flush() }
    document.addEventListener('visibilitychange', hide)
    return () => { document.removeEventListener('visibilitychange', hide); void keeper.flush() }
  }, [keeper])
  const open = keeping.state === 'dirty' || keeping.state === 'saving' || keeping.state === 'failed' || keeping.state === 'elsewhere'
  useEffect(() => {
    if (!open) return
    const ask = (e: BeforeUnloadEvent) => { void keeper.flush(); e.preventDefault() }
    window.addEventListener('beforeunload', ask)
    return () => window.removeEventListener('beforeunload', ask)
  }, [open, keeper])
  return { keeper, keeping }
}
