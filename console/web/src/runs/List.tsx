import { useState } from 'react'
import { Link, useLocation, useSearch } from 'wouter'
import { useInfo, useRuns, type RunSummary } from '../api/queries'
import { Title } from '../frame/Frame'
import { runPath, workflowPath } from '../routes'
import { strings as shared } from '../strings'
import { Act } from '../ui/Act'
import { StateChip, VersionChip } from '../ui/Chip'
import { Empty, Loading, Problem } from '../ui/Problem'
import { Duration, Time, useNow } from '../ui/Time'
import { Bulk, type Selection } from './Bulk'
import { useRunChanges } from './changes'
import { bulk, listPath, rangeOf, read, request, type Filter } from './filter'
import { Filters } from './Filters'
import { strings } from './strings'
import './style.css'

const words = strings.list
const actions = ['cancel', 'pause', 'resume', 'restart', 'terminate', 'delete'] as const

function Reason({ run }: { run: RunSummary }) {
  if (run.error) return <span className="tone-red">{run.error.message}</span>
  if (run.waiting_for) return <span>{run.waiting_for.prompt || run.waiting_for.signal || run.waiting_for.kind}</span>
  if (run.queue) return <span>{strings.queued(run.queue.ahead)}</span>
  return null
}

function Row({ run, now, chosen, onChoose }: { run: RunSummary; now: number; chosen: boolean; onChoose: () => void }) {
  return (
    <tr aria-selected={chosen}>
      <td className="pick"><input type="checkbox" checked={chosen} onChange={onChoose} aria-label={`${words.select} ${run.id}`} /></td>
      <td><StateChip state={run.status} /></td>
      <th scope="row"><Link href={runPath(run.id)} aria-describedby={run.id}>{run.workflow.name}</Link><span className="faint slug" id={run.id}>{run.id}</span></th>
      <td><Link className="quiet" href={workflowPath(run.workflow.slug)}><VersionChip version={run.version} label={run.version_label} hash={run.definition_hash} /></Link></td>
      <td>{run.started_by?.name ?? run.trigger}</td>
      <td><Time at={run.created_at} now={now} /></td>
      <td className="number"><Duration seconds={run.duration_seconds} /></td>
      <td className="one-line"><Reason run={run} /></td>
    </tr>
  )
}

interface Chosen { ids: Set<string>; all: boolean } // all: everything that the filter matches

function Selected({ chosen, filter, now, onChange }: { chosen: Chosen; filter: Filter; now: number; onChange: (c: Chosen) => void }) {
  const [action, setAction] = useState<(typeof actions)[number] | null>(null)
  const can = useInfo().data?.can
  const [selection, setSelection] = useState<Selection>({ run_ids: [] })
  const two = [...chosen.ids]
  const begin = (a: (typeof actions)[number]) => {
    setSelection(chosen.all ? { filter: bulk(filter, now) } : { run_ids: [...chosen.ids] })
    setAction(a)
  }
  return (
    <div className="selected" role="toolbar" aria-label={words.selected(chosen.ids.size)}>
      <span role="status">{chosen.all ? words.matching : words.selected(chosen.ids.size)}</span>
      {chosen.all ? null : <button type="button" className="link" onClick={() => onChange({ ...chosen, all: true })}>{words.allMatching}</button>}
      <button type="button" className="link" onClick={() => onChange({ ids: new Set(), all: false })}>{words.unselect}</button>
      {two.length === 2 && !chosen.all ? <Link className="button" href={`${runPath(two[1] as string)}/vs/${two[0]}`}>{strings.versus.compare}</Link> : null}
      <span className="spacer" />
      {actions.map((a) => <Act key={a} can={can} needs={a === 'cancel' || a === 'pause' || a === 'resume' ? 'execute' : 'operate'} {...(a === 'terminate' || a === 'delete' ? { look: 'danger' as const } : {})} onClick={() => begin(a)}>{strings.bulk.actions[a]}…</Act>)}
      {action ? <Bulk action={action} selection={selection} onClose={() => { setAction(null); onChange({ ids: new Set(), all: false }) }} /> : null}
    </div>
  )
}

function Nothing({ filter, onClear, onWiden }: { filter: Filter; onClear: () => void; onWiden: () => void }) {
  const narrowed = Object.keys(filter).some((k) => k !== 'order' && k !== 'range' && k !== 'cursor')
  if (narrowed) return <Empty title={shared.noMatch}><button type="button" onClick={onClear}>{shared.clear}</button></Empty>
  if (rangeOf(filter) !== 'all') return <Empty title={words.noneInRange}><p>{shared.noRunsHelp}</p><button type="button" onClick={onWiden}>{words.widen}</button></Empty>
  return <Empty title={shared.noRuns}><p>{shared.noRunsHelp}</p></Empty>
}

export function RunList() {
  const [, navigate] = useLocation()
  const filter = read(useSearch())
  const now = useNow()
  const list = useRuns(request(filter, now))
  const fresh = useRunChanges(filter, list.data)
  const [chosen, setChosen] = useState<Chosen>({ ids: new Set(), all: false })
  const change = (c: Filter) => navigate(listPath({ ...filter, cursor: undefined, ...c }), { replace: true })
  const runs = list.data?.runs ?? []
  const choose = (id: string) => setChosen((old) => { const ids = new Set(old.ids); if (!ids.delete(id)) ids.add(id); return { ids, all: false } })
  const whole = runs.length > 0 && runs.every((r) => chosen.ids.has(r.id))
  return (
    <>
      <Title text={shared.nav.runs} />
      <Filters filter={filter} onChange={change} />
      {chosen.ids.size ? <Selected chosen={chosen} filter={filter} now={now} onChange={setChosen} /> : null}
      {fresh > 0 ? <button type="button" className="fresh" onClick={() => void list.refetch()}>{words.fresh(fresh)}</button> : null}
      {list.error ? <Problem error={list.error} retry={() => void list.refetch()} /> : null}
      {list.isLoading ? <Loading /> : null}
      {list.data && runs.length === 0 ? <Nothing filter={filter} onClear={() => navigate('/runs')} onWiden={() => change({ range: 'all' })} /> : null}
      {runs.length > 0 ? (
        <div className="scroll runs" tabIndex={0} role="region" aria-label={shared.nav.runs}>
          <table>
            <thead><tr>
              <th scope="col" className="pick"><input type="checkbox" checked={whole} aria-label={words.selectAll} onChange={() => setChosen({ ids: whole ? new Set() : new Set(runs.map((r) => r.id)), all: false })} /></th>
              <th scope="col">{words.state}</th><th scope="col">{words.run}</th><th scope="col">{words.version}</th><th scope="col">{words.by}</th><th scope="col">{words.created}</th><th scope="col" className="number">{words.duration}</th><th scope="col">{words.reason}</th>
            </tr></thead>
            <tbody>{runs.map((r) => <Row key={r.id} run={r} now={now} chosen={chosen.ids.has(r.id)} onChoose={() => choose(r.id)} />)}</tbody>
          </table>
        </div>
      ) : null}
      <div className="pages">
        {filter['cursor'] ? <Link href={listPath({ ...filter, cursor: undefined })}>{shared.first}</Link> : null}
        {list.data?.next_cursor ? <Link href={listPath({ ...filter, cursor: list.data.next_cursor })}>{shared.next}</Link> : null}
      </div>
    </>
  )
}
