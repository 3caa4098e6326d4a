import { useState } from 'react'
import { Link, useLocation, useSearch } from 'wouter'
import { useInfo, useWorkflows, type Workflow } from '../api/queries'
import { Title } from '../frame/Frame'
import { to, workflowPath } from '../routes'
import { stateOf } from '../status/states'
import { strings as shared } from '../strings'
import { Act } from '../ui/Act'
import { StateChip, VersionChip } from '../ui/Chip'
import { Empty, Loading, Problem } from '../ui/Problem'
import { Time, useNow } from '../ui/Time'
import { Bulk } from './Bulk'
import { Filters, readFilter } from './Filters'
import { strings } from './strings'
import './style.css'

// Bars are the ends of the last runs, the newest at the right; failed ones are higher, so that
// colour is not all that tells them.
function Bars({ recent }: { recent: string[] }) {
  if (recent.length === 0) return <span className="faint">–</span>
  return (
    <span className="bars" role="img" aria-label={strings.barsLabel(recent.length, recent.filter((s) => s === 'failed').length)}>
      {[...recent].reverse().map((s, i) => <i key={i} className={`tone-${stateOf(s).tone} ${s === 'failed' ? 'high' : ''}`} />)}
    </span>
  )
}

function Row({ w, now, selected, onSelect }: { w: Workflow; now: number; selected: boolean; onSelect: (on: boolean) => void }) {
  const path = workflowPath(w.slug)
  return (
    <tr aria-selected={selected}>
      <td className="pick"><label className="pick"><input type="checkbox" checked={selected} aria-label={strings.select(w.name)} onChange={(e) => onSelect(e.target.checked)} /></label></td>
      <th scope="row" className="wname"><Link href={path}>{w.name}</Link><span className="faint slug">{w.slug}</span>{w.tags.length ? <span className="tags">{w.tags.map((t) => <Link key={t} className="tag" href={to('/workflows', { tag: t })}>{t}</Link>)}</span> : null}</th>
      <td><StateChip state={w.status} /></td>
      <td><VersionChip version={w.version} hash={w.definition_hash} />
        {w.unpublished ? <Link className="hint slug" href={`${path}/compare/${w.version}/${w.latest_version}`}>{strings.unpublished(w.latest_version)}</Link> : null}
        {w.draft ? <Link className="faint slug" href={`${path}/edit`}>{strings.hasDraft(w.draft.by?.name ?? '?')}</Link> : null}
        {w.update_available ? <Link className="hint slug" href={`${path}/update`}>{strings.hasUpdate}</Link> : null}</td>
      <td><Bars recent={w.recent ?? []} />{w.failed_24h ? <span className="tone-red slug">{strings.failed24(w.failed_24h)}</span> : null}</td>
      <td>{w.last_run ? <><Link href={`/runs/${w.last_run.id}`} className="wf-plain"><StateChip state={w.last_run.status} /></Link><span className="faint slug"><Time at={w.last_run.ended_at} now={now} /></span></> : <span className="faint">–</span>}</td>
      <td className="number">{w.open_runs ? <Link href={to('/runs', { workflow: w.slug, status: 'queued,running,waiting,paused' })}>{w.open_runs}</Link> : <span className="faint">0</span>}</td>
      <td><Time at={w.next_run_at} now={now} /></td>
    </tr>
  )
}

// WorkflowList is all workflows and how they go. What is selected is changed together.
export function WorkflowList() {
  const [, navigate] = useLocation()
  const filter = readFilter(useSearch())
  const list = useWorkflows(filter)
  const can = useInfo().data?.can
  const now = useNow()
  const [selected, select] = useState(new Map<string, Workflow>())
  const rows = list.data?.workflows ?? []
  const chosen = [...selected.values()]
  const toggle = (w: Workflow, on: boolean) => { const next = new Map(selected); if (on) next.set(w.id, w); else next.delete(w.id); select(next) }
  const filtered = Boolean(filter.q || filter.status || filter.tag || filter.health || filter.template_id)
  return (
    <>
      <Title text={shared.nav.workflows}>
        <span className="spacer" />
        <Act can={can} needs="edit" onClick={() => navigate('/templates')}>{strings.fromTemplate}</Act>
        <Act can={can} needs="edit" look="primary" onClick={() => navigate('/workflows/new')}>{strings.newOne}</Act>
      </Title>
      <Filters filter={filter} known={rows.flatMap((w) => w.tags)} />
      {chosen.length ? <Bulk chosen={chosen} clear={() => select(new Map())} /> : null}
      {list.error ? <Problem error={list.error} retry={() => void list.refetch()} /> : null}
      {list.isLoading ? <Loading /> : null}
      {list.data && rows.length === 0 && !list.data.next_cursor ? filtered
        ? <Empty title={shared.noMatch}><button type="button" onClick={() => navigate('/workflows')}>{shared.clear}</button></Empty>
        : <Empty title={shared.noWorkflows}><p>{shared.noWorkflowsHelp}</p><p><Link href="/templates" className="button primary">{shared.nav.templates}</Link></p></Empty> : null}
      {rows.length > 0 ? (
        <div className="scroll" tabIndex={0} role="region" aria-label={shared.nav.workflows}>
          <table className="workflows">
            <thead><tr>
              <td className="pick"><label className="pick"><input type="checkbox" aria-label={strings.selectAll} checked={rows.every((w) => selected.has(w.id))} onChange={(e) => select(e.target.checked ? new Map([...selected, ...rows.map((w) => [w.id, w] as const)]) : new Map())} /></label></td>
              <th scope="col">Workflow</th><th scope="col">Status</th><th scope="col">Version</th><th scope="col">Last runs</th><th scope="col">Last</th><th scope="col" className="number">Open</th><th scope="col">Next</th>
            </tr></thead>
            <tbody>{rows.map((w) => <Row key={w.id} w={w} now={now} selected={selected.has(w.id)} onSelect={(on) => toggle(w, on)} />)}</tbody>
          </table>
        </div>
      ) : null}
      <div className="pages">
        {filter.cursor ? <Link href={to('/workflows', { ...filter, cursor: undefined })}>{shared.first}</Link> : null}
        {list.data?.next_cursor ? <Link href={to('/workflows', { ...filter, cursor: list.data.next_cursor })}>{shared.next}</Link> : null}
      </div>
    </>
  )
}
