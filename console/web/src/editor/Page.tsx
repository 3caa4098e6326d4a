import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useInfo } from '../api/queries'
import { Title } from '../frame/Frame'
import { Loading, Problem } from '../ui/Problem'
import { load } from './load'
import { strings } from './strings'
import { Workbench } from './Workbench'
import './style.css'

// Editor loads what is to be written on. It is read once: from then on the text in the browser is
// the newest.
export function Editor({ slug }: { slug: string }) {
  const info = useInfo()
  const me = info.data?.key.id ?? ''
  const [again, setAgain] = useState(0)
  const start = useQuery({ queryKey: ['editor', slug, me, again], enabled: me !== '', staleTime: Infinity, gcTime: 0, refetchOnWindowFocus: false, queryFn: ({ signal }) => load(slug, me, signal) })
  if (start.error) return <><Title text={strings.title} /><Problem error={start.error} retry={() => void start.refetch()} /></>
  if (!start.data) return <><Title text={strings.title} /><Loading /></>
  return <Workbench key={again} slug={slug} me={me} start={start.data} restart={() => setAgain((n) => n + 1)} />
}
