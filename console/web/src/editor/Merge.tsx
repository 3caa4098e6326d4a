import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../api/client'
import { compareSources, useVersions, workflowAPI, type Source, type WorkflowHead } from '../api/versions'
import { markOf, type Change } from '../diff/changes'
import { flatten } from '../layout/definition'
import { ChangeCard } from '../ui/Changes'
import { Dialog } from '../ui/Dialog'
import { Loading, Problem } from '../ui/Problem'
import { read } from '../yaml/document'
import { merged, rowsOf, type Row } from '../yaml/merge'
import { readSource } from './load'

interface Sides { latest: number; theirs: Source; rows: Row[] }

async function sides(slug: string, base: number, mine: Source): Promise<Sides> {
  const latest = (await call<{ workflow: WorkflowHead }>(workflowAPI(slug))).data.workflow.latest_version
  const [was, theirs] = await Promise.all([readSource(slug, base), readSource(slug, latest)])
  const [a, b] = await Promise.all([compareSources(was, theirs), compareSources(was, mine)])
  const parents = new Map([theirs.text, mine.text].flatMap((t) => flatten(read(t).steps)).map((s) => [s.id, s.parent]))
  return { latest, theirs, rows: rowsOf(a.changes, b.changes, parents) }
}

function Both({ row, who, take, onTake }: { row: Row; who: string; take: boolean; onTake: (theirs: boolean) => void }) {
  const name = row.key === '@settings' ? 'Settings' : row.key
  const side = (c: Change | null, who: string) => (c ? <ChangeCard change={c} title={who} /> : null)
  return (
    <fieldset className="both">
      <legend>{name}{row.clash ? <span className="note">changed by both</span> : null}</legend>
      {side(row.theirs, who)}
      {side(row.mine, 'Mine')}
      {row.clash ? (
        <p className="choice"><label><input type="radio" checked={take} onChange={() => onTake(true)} name={'take ' + row.key} /> Take {who === 'Theirs' ? 'theirs' : `${who}’s`}</label><label><input type="radio" checked={!take} onChange={() => onTake(false)} name={'take ' + row.key} /> Keep mine</label></p>
      ) : <p className="faint choice">{row.theirs ? 'Theirs comes in' : 'Mine stays'}{row.theirs && markOf(row.theirs.change).word === 'moved' ? '; its place stays mine' : ''}.</p>}
    </fieldset>
  )
}

// Merge is shown when another version came since the draft's base: what they changed and what I
// changed, step by step, become one text, which is a draft of the new version then.
export function Merge({ slug, base, mine, onClose, onMerged }: { slug: string; base: number; mine: Source; onClose: () => void; onMerged: (text: string, version: number, left: number) => void }) {
  const found = useQuery({ queryKey: ['sides', slug, base, mine.text], queryFn: () => sides(slug, base, mine), staleTime: 0, gcTime: 0, retry: false, refetchOnWindowFocus: false })
  const newest = useVersions(slug).data?.versions[0]
  const [theirs, setTheirs] = useState<Set<string>>(new Set())
  const rows = found.data?.rows ?? []
  const who = newest?.actor?.name ?? newest?.created_by ?? 'Theirs'
  const clashes = rows.filter((r) => r.clash).length
  const done = () => {
    if (!found.data) return
    const take = rows.filter((r) => r.theirs && (!r.clash ? r.mine === null || r.key === '@settings' : theirs.has(r.key))).map((r) => r.theirs as Change)
    const { text, left } = merged(mine.text, found.data.theirs.text, take)
    onMerged(text, found.data.latest, left.length)
  }
  const choose = (key: string, take: boolean) => setTheirs((was) => { const next = new Set(was); if (take) next.add(key); else next.delete(key); return next })
  return (
    <Dialog title={newest ? `${who} saved v${newest.version} meanwhile` : 'Another version came meanwhile'} onClose={onClose} wide>
      <p>Your draft is a change of v{base}. Nothing of either is lost: {clashes === 0 ? 'no step was changed by both, so both changes fit together.' : `choose for ${clashes === 1 ? 'the step' : `the ${clashes} steps`} that both changed.`}</p>
      {found.isPending ? <Loading /> : null}
      {found.error ? <><Problem error={found.error} retry={() => void found.refetch()} /><p className="faint">A text that cannot be read cannot be compared: mend it first, or keep yours as it is and save it over the newer version.</p></> : null}
      <div className="sides-list" tabIndex={0} role="region" aria-label="Changes of both">{rows.map((r) => <Both key={r.key} row={r} who={who} take={theirs.has(r.key)} onTake={(t) => choose(r.key, t)} />)}</div>
      <div className="foot">
        <button type="button" onClick={onClose}>Not now</button>
        <button type="button" className="primary" disabled={!found.data} onClick={done}>Put both together</button>
      </div>
    </Dialog>
  )
}
