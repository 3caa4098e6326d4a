import { Link, useLocation, useSearch } from 'wouter'
import { useApprovals, type Approval } from '../api/approvals'
import { Title } from '../frame/Frame'
import { to } from '../routes'
import { strings as shared } from '../strings'
import { StateChip, VersionChip } from '../ui/Chip'
import { Empty, Loading, Problem } from '../ui/Problem'
import { Time, useNow } from '../ui/Time'
import { strings } from './strings'
import './style.css'

const states = ['open', 'answered', 'expired', 'cancelled'] as const

function Row({ a, now }: { a: Approval; now: number }) {
  const soon = a.status === 'open' && a.expires_at !== null && Date.parse(a.expires_at) - now < 3_600_000
  return (
    <tr>
      <th scope="row" className="question"><Link href={`/approvals/${a.id}`}>{a.prompt || a.step_name || a.signal}</Link>{a.iteration ? <span className="faint slug">{a.iteration}</span> : null}</th>
      <td>{a.workflow.name ?? a.workflow.slug} <VersionChip version={a.version} /></td>
      <td><Time at={a.opened_at} now={now} />{a.started_by ? <span className="faint slug">{a.started_by.name}</span> : null}</td>
      {a.status === 'open'
        ? <td className={soon ? 'tone-amber' : undefined}>{a.expires_at ? <Time at={a.expires_at} now={now} /> : <span className="faint">{strings.never}</span>}</td>
        : <td><StateChip state={a.status} />{a.answered_by ? <span className="faint slug">{a.answered_by.name}</span> : null}</td>}
    </tr>
  )
}

// ApprovalList is the inbox: what is asked, oldest first.
export function ApprovalList() {
  const [, navigate] = useLocation()
  const params = new URLSearchParams(useSearch())
  const get = (name: string) => params.get(name) ?? undefined
  const filter = { status: get('status') ?? 'open', mine: get('mine'), q: get('q'), order: get('order'), workflow: get('workflow'), cursor: get('cursor') }
  const list = useApprovals({ ...filter, status: filter.status === 'any' ? undefined : filter.status })
  const now = useNow()
  const set = (change: Record<string, string | undefined>) => navigate(to('/approvals', { ...filter, status: filter.status === 'open' ? undefined : filter.status, cursor: undefined, ...change }), { replace: true })
  const filtered = Boolean(filter.mine || filter.q || filter.workflow)
  return (
    <>
      <Title text={strings.title} />
      <form className="filters" role="search" onSubmit={(e) => e.preventDefault()}>
        <label>{strings.search} <input type="search" defaultValue={filter.q} onChange={(e) => set({ q: e.target.value || undefined })} /></label>
        <label>{strings.status} <select value={filter.status} onChange={(e) => set({ status: e.target.value === 'open' ? undefined : e.target.value })}>
          {states.map((s) => <option key={s} value={s}>{strings[s]}</option>)}<option value="any">{strings.any}</option>
        </select></label>
        <label>{strings.order} <select value={filter.order ?? ''} onChange={(e) => set({ order: e.target.value || undefined })}><option value="">{strings.oldest}</option><option value="expires">{strings.soonest}</option></select></label>
        <label><input type="checkbox" checked={filter.mine === 'true'} onChange={(e) => set({ mine: e.target.checked ? 'true' : undefined })} /> {strings.mine}</label>
      </form>
      {list.error ? <Problem error={list.error} retry={() => void list.refetch()} /> : null}
      {list.isLoading ? <Loading /> : null}
      {list.data?.approvals.length === 0 && !list.data.next_cursor ? filtered
        ? <Empty title={shared.noMatch}><button type="button" onClick={() => navigate('/approvals')}>{shared.clear}</button></Empty>
        : filter.status === 'open' ? <Empty title={strings.none}><p>{strings.noneHelp}</p></Empty> : <Empty title={strings.noneEver} /> : null}
      {list.data && list.data.approvals.length > 0 ? (
        <div className="scroll" tabIndex={0} role="region" aria-label={strings.title}>
          <table>
            <thead><tr><th scope="col">{strings.question}</th><th scope="col">{strings.workflow}</th><th scope="col">{strings.asked}</th><th scope="col">{filter.status === 'open' ? strings.expires : strings.outcome}</th></tr></thead>
            <tbody>{list.data.approvals.map((a) => <Row key={a.id} a={a} now={now} />)}</tbody>
          </table>
        </div>
      ) : null}
      <div className="pages">
        {filter.cursor ? <Link href={to('/approvals', { ...filter, cursor: undefined })}>{shared.first}</Link> : null}
        {list.data?.next_cursor ? <Link href={to('/approvals', { ...filter, cursor: list.data.next_cursor })}>{shared.next}</Link> : null}
      </div>
    </>
  )
}
