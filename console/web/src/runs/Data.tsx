import { useQuery } from '@tanstack/react-query'
import { values } from '../api/client'
import type { Value } from '../api/lossless'
import { base, to } from '../routes'
import { Loading, Problem } from '../ui/Problem'
import { ValueView } from '../ui/ValueView'
import { runAPI } from './live'
import { strings } from './strings'

export const blobOf = (run: string) => (id: string) => `${base}${runAPI(run)}/blobs/${encodeURIComponent(id)}`

// Data is what a run was given, and what it made of it.
export function Data({ run, seq }: { run: string; seq: number }) {
  const read = useQuery({ queryKey: ['run-values', run, seq], queryFn: async ({ signal }) => ((await values(to(runAPI(run), { view: 'summary' }), { signal })) as { run: { input: Value; output: Value } }).run })
  if (read.error) return <Problem error={read.error} retry={() => void read.refetch()} />
  if (!read.data) return <Loading />
  return (
    <div className="pair">
      <section><h2>{strings.input}</h2><ValueView value={read.data.input} name="input" blob={blobOf(run)} /></section>
      <section><h2>{strings.runOutput}</h2><ValueView value={read.data.output} name="output" blob={blobOf(run)} /></section>
    </div>
  )
}
