import { Link, useLocation, useSearch } from 'wouter'
import { useRuns, type RunSummary } from '../api/queries'
import { Title } from '../frame/Frame'
import { runPath, to, workflowPath } from '../routes'
import { strings } from '../strings'
import { StateChip, VersionChip } from '../ui/Chip'
import { Empty, Loading, Problem } from '../ui/Problem'
import { Duration, Time, useNow } from '../ui/Time'

const names = ['status', 'workflow', 'version', 'trigger', 'schedule_id', 'q', 'order', 'cursor'] as const

function Reason({ run }: { run: RunSummary }) {
  if (run.error) return <span className="tone-red">{run.error.message}</span>
  if (run.waiting_for) return <span>{run.waiting_for.prompt || run.waiting_for.signal || run.waiting_for.kind}</span>
  if (run.queue) return <span>{run.queue.ahead} ahead in the queue</span>
  return null
}

function Row({ run, now }: { run: RunSummary; now: number }) {
  return (
    <tr>
      <td><StateChip state={run.status} /></td>
      <th scope="row"><Link href={runPath(run.id)}>{run.workflow.name}</Link><span className="faint slug">{run.id}</span></th>
      <td><Link href={workflowPath(run.workflow.slug)}><VersionChip version={run.version} label={run.version_label} hash={run.definition_hash} /></Link></td>
      <td>{run.started_by?.name ?? run.trigger}</td>
      <td><Time at={run.created_at} now={now} /></td>
      <td className="number"><Duration seconds={run.duration_seconds} /></td>
      <td className="reason"><Reason run={run} /></td>
    </tr>
  )
}

export function RunList() {
  const [, navigate] = useLocation()
  const params = new URLSearchParams(useSearch())
  const filter: Record<string, string | undefined> = {}
  for (const name of names) filter[name] = params.get(name) ?? undefined
  const list = useRuns(filter)
  const now = useNow()
  const set = (change: Record<string, string | undefined>) => navigate(to('/runs', { ...filter, cursor: undefined, ...change }), { replace: true })
  const filtered = names.some((n) => n !== 'order' && n !== 'cursor' && filter[n])

  return (
    <>
      <Title text={strings.nav.runs} />
      <form className="filters" role="search" onSubmit={(e) => e.preventDefault()}>
        <label>State <select value={filter['status'] ?? ''} onChange={(e) => set({ status: e.target.value || undefined })}>
          <option value="">All</option>
          {['queued', 'running', 'waiting', 'paused', 'completed', 'failed', 'cancelled'].map((s) => <option key={s} value={s}>{s}</option>)}
        </select></label>
        <label>Id or label <input type="search" defaultValue={filter['q']} onChange={(e) => set({ q: e.target.value || undefined })} /></label>
        <label>Order <select value={filter['order'] ?? ''} onChange={(e) => set({ order: e.target.value || undefined })}>
          <option value="">Newest</option><option value="created">Oldest</option><option value="-ended">Ended last</option><option value="-duration">Longest</option>
        </select></label>
      </form>
      {list.error ? <Problem error={list.error} retry={() => void list.refetch()} /> : null}
      {list.isLoading ? <Loading /> : null}
      {list.data?.runs.length === 0 ? filtered
        ? <Empty title={strings.noMatch}><button type="button" onClick={() => navigate('/runs')}>{strings.clear}</button></Empty>
        : <Empty title={strings.noRuns}><p>{strings.noRunsHelp}</p></Empty> : null}
      {list.data && list.data.runs.length > 0 ? (
        <div className="scroll" tabIndex={0} role="region" aria-label={strings.nav.runs}>
          <table>
            <thead><tr><th scope="col">State</th><th scope="col">Run</th><th scope="col">Version</th><th scope="col">By</th><th scope="col">Created</th><th scope="col" className="number">Duration</th><th scope="col">Reason</th></tr></thead>
            <tbody>{list.data.runs.map((r) => <Row key={r.id} run={r} now={now} />)}</tbody>
          </table>
        </div>
      ) : null}
      <div className="pages">
        {filter['cursor'] ? <Link href={to('/runs', { ...filter, cursor: undefined })}>{strings.first}</Link> : null}
        {list.data?.next_cursor ? <Link href={to('/runs', { ...filter, cursor: list.data.next_cursor })}>{strings.next}</Link> : null}
      </div>
    </>
  )
}
