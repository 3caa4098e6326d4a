import { Link, useLocation, useSearch } from 'wouter'
import { useInfo } from '../api/queries'
import { useSchedules, type ListedSchedule } from '../api/schedules'
import { Title } from '../frame/Frame'
import { runPath, to, workflowPath } from '../routes'
import { strings } from '../strings'
import { zoned } from '../time/zone'
import { Act } from '../ui/Act'
import { StateChip } from '../ui/Chip'
import { Empty, Loading, Problem } from '../ui/Problem'
import { Time, useNow } from '../ui/Time'
import { OutcomeChip } from './outcomes'
import { reasonWords, text } from './strings'
import './style.css'

const names = ['q', 'status', 'health', 'workflow', 'order', 'cursor'] as const

function Last({ s, now }: { s: ListedSchedule; now: number }) {
  const last = s.last_slot
  if (!last) return <span className="faint">–</span>
  return (
    <span className="stack">
      <span className="row"><OutcomeChip outcome={last.outcome} />{last.run_id && last.run_status ? <Link href={runPath(last.run_id)}><StateChip state={last.run_status} /></Link> : null}</span>
      <span className="faint">{last.reason ? reasonWords(last.reason) : <Time at={last.due_at} now={now} />}</span>
    </span>
  )
}

function Row({ s, now }: { s: ListedSchedule; now: number }) {
  return (
    <tr>
      <th scope="row">
        <Link href={`/schedules/${s.id}`}>{s.description || text.unnamed}</Link>
        <span className="faint slug"><code>{s.cron_expression}</code> · {s.timezone}</span>
      </th>
      <td><Link href={workflowPath(s.workflow.slug)}>{s.workflow.name}</Link></td>
      <td className="reason"><StateChip state={s.status} />{s.pause_reason ? <span className="faint slug">{s.pause_reason}</span> : null}</td>
      <td>{s.next_run_local ? <span className="stack"><Time at={s.next_run_at} now={now} /><span className="faint small">{zoned(s.next_run_local)}</span></span> : <span className="faint">–</span>}</td>
      <td><Last s={s} now={now} /></td>
    </tr>
  )
}

function Filters({ filter, set }: { filter: Record<string, string | undefined>; set: (change: Record<string, string | undefined>) => void }) {
  return (
    <form className="filters" role="search" onSubmit={(e) => e.preventDefault()}>
      <label>Find <input type="search" defaultValue={filter['q']} placeholder="Workflow, expression, zone" onChange={(e) => set({ q: e.target.value || undefined })} /></label>
      <label>Status <select value={filter['status'] ?? ''} onChange={(e) => set({ status: e.target.value || undefined })}>
        <option value="">All</option><option value="active">Active</option><option value="paused">Paused</option><option value="ended">Ended</option>
      </select></label>
      <label>Health <select value={filter['health'] ?? ''} onChange={(e) => set({ health: e.target.value || undefined })}>
        <option value="">All</option><option value="failing">Failing</option><option value="late">Late</option>
      </select></label>
      <label>Order <select value={filter['order'] ?? ''} onChange={(e) => set({ order: e.target.value || undefined })}>
        <option value="">Newest</option><option value="next">Next due</option>
      </select></label>
      {filter['workflow'] ? <button type="button" onClick={() => set({ workflow: undefined })}>Workflow: {filter['workflow']} ✕</button> : null}
    </form>
  )
}

export function ScheduleList() {
  const [, navigate] = useLocation()
  const params = new URLSearchParams(useSearch())
  const filter: Record<string, string | undefined> = {}
  for (const name of names) filter[name] = params.get(name) ?? undefined
  const info = useInfo()
  const list = useSchedules(filter)
  const now = useNow()
  const set = (change: Record<string, string | undefined>) => navigate(to('/schedules', { ...filter, cursor: undefined, ...change }), { replace: true })
  const filtered = names.some((n) => n !== 'order' && n !== 'cursor' && filter[n])
  const create = <Act can={info.data?.can} needs="edit" look="primary" onClick={() => navigate(to('/schedules/new', { workflow: filter['workflow'] }))}>{text.create}</Act>

  return (
    <>
      <Title text={text.title}><span className="spacer" />{create}</Title>
      <Filters filter={filter} set={set} />
      {list.error ? <Problem error={list.error} retry={() => void list.refetch()} /> : null}
      {list.isLoading ? <Loading /> : null}
      {list.data?.schedules.length === 0 && !list.data.next_cursor ? filtered
        ? <Empty title={strings.noMatch}><button type="button" onClick={() => navigate('/schedules')}>{strings.clear}</button></Empty>
        : <Empty title={text.none}><p>{text.noneHelp}</p><p><code>{text.curl}</code></p></Empty> : null}
      {list.data && list.data.schedules.length > 0 ? (
        <div className="scroll" tabIndex={0} role="region" aria-label={text.title}>
          <table>
            <thead><tr><th scope="col">Schedule</th><th scope="col">Workflow</th><th scope="col">Status</th><th scope="col">Next due</th><th scope="col">Last due</th></tr></thead>
            <tbody>{list.data.schedules.map((s) => <Row key={s.id} s={s} now={now} />)}</tbody>
          </table>
        </div>
      ) : null}
      <div className="pages">
        {filter['cursor'] ? <Link href={to('/schedules', { ...filter, cursor: undefined })}>{strings.first}</Link> : null}
        {list.data?.next_cursor ? <Link href={to('/schedules', { ...filter, cursor: list.data.next_cursor })}>{strings.next}</Link> : null}
      </div>
    </>
  )
}
