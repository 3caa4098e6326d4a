import { Link, useLocation, useSearch } from 'wouter'
import { useWorkflows, type Workflow } from '../api/queries'
import { Title } from '../frame/Frame'
import { to, workflowPath } from '../routes'
import { stateOf } from '../status/states'
import { strings } from '../strings'
import { StateChip, VersionChip } from '../ui/Chip'
import { Empty, Loading, Problem } from '../ui/Problem'
import { Time, useNow } from '../ui/Time'

// Bars are the ends of the last runs, the newest at the right.
function Bars({ recent }: { recent: string[] }) {
  const failed = recent.filter((s) => s === 'failed').length
  return (
    <span className="bars" role="img" aria-label={`${recent.length} last runs, ${failed} failed`}>
      {[...recent].reverse().map((s, i) => <i key={i} className={`tone-${stateOf(s).tone}`} />)}
    </span>
  )
}

function Row({ w, now }: { w: Workflow; now: number }) {
  return (
    <tr>
      <th scope="row"><Link href={workflowPath(w.slug)}>{w.name}</Link><span className="faint slug">{w.slug}</span></th>
      <td><StateChip state={w.status} /></td>
      <td><VersionChip version={w.version} hash={w.definition_hash} />{w.unpublished ? <span className="note">v{w.latest_version} unpublished</span> : null}</td>
      <td><Bars recent={w.recent ?? []} /></td>
      <td>{w.last_run ? <Link href={`/runs/${w.last_run.id}`}><StateChip state={w.last_run.status} /></Link> : <span className="faint">–</span>}</td>
      <td className="number">{w.open_runs ?? 0}</td>
      <td><Time at={w.next_run_at} now={now} /></td>
    </tr>
  )
}

export function WorkflowList() {
  const [, navigate] = useLocation()
  const params = new URLSearchParams(useSearch())
  const filter = { q: params.get('q') ?? undefined, status: params.get('status') ?? undefined, tag: params.get('tag') ?? undefined, cursor: params.get('cursor') ?? undefined }
  const list = useWorkflows(filter)
  const now = useNow()
  const set = (change: Record<string, string | undefined>) => navigate(to('/workflows', { ...filter, cursor: undefined, ...change }), { replace: true })
  const filtered = Boolean(filter.q || filter.status || filter.tag)

  return (
    <>
      <Title text={strings.nav.workflows} />
      <form className="filters" role="search" onSubmit={(e) => e.preventDefault()}>
        <label>Name or slug <input type="search" defaultValue={filter.q} onChange={(e) => set({ q: e.target.value || undefined })} /></label>
        <label>Status <select value={filter.status ?? ''} onChange={(e) => set({ status: e.target.value || undefined })}>
          <option value="">All</option><option value="active">Active</option><option value="inactive">Inactive</option><option value="archived">Archived</option>
        </select></label>
      </form>
      {list.error ? <Problem error={list.error} retry={() => void list.refetch()} /> : null}
      {list.isLoading ? <Loading /> : null}
      {list.data?.workflows.length === 0 ? filtered
        ? <Empty title={strings.noMatch}><button type="button" onClick={() => navigate('/workflows')}>{strings.clear}</button></Empty>
        : <Empty title={strings.noWorkflows}><p>{strings.noWorkflowsHelp}</p><p><Link href="/templates" className="button primary">{strings.nav.templates}</Link></p></Empty> : null}
      {list.data && list.data.workflows.length > 0 ? (
        <div className="scroll" tabIndex={0} role="region" aria-label={strings.nav.workflows}>
          <table>
            <thead><tr><th scope="col">Workflow</th><th scope="col">Status</th><th scope="col">Version</th><th scope="col">Last runs</th><th scope="col">Last</th><th scope="col" className="number">Open</th><th scope="col">Next</th></tr></thead>
            <tbody>{list.data.workflows.map((w) => <Row key={w.id} w={w} now={now} />)}</tbody>
          </table>
        </div>
      ) : null}
      <div className="pages">
        {filter.cursor ? <Link href={to('/workflows', { ...filter, cursor: undefined })}>{strings.first}</Link> : null}
        {list.data?.next_cursor ? <Link href={to('/workflows', { ...filter, cursor: list.data.next_cursor })}>{strings.next}</Link> : null}
      </div>
    </>
  )
}
