import { Link, useLocation, useSearch } from 'wouter'
import { useDue, useMonth, useSchedule, useScheduled, type Schedule } from '../api/schedules'
import { Title } from '../frame/Frame'
import { to, workflowPath } from '../routes'
import { addDays, addMonths, validMonth } from '../time/month'
import { duration } from '../time/time'
import { known, local, zoned } from '../time/zone'
import { StateChip } from '../ui/Chip'
import { Loading, Problem } from '../ui/Problem'
import { Time, useNow } from '../ui/Time'
import { Actions } from './Actions'
import { Calendar } from './Calendar'
import { DaySlots } from './DaySlots'
import { Due } from './Preview'
import { catchUp, gap, overlap, repeat, text } from './strings'
import './style.css'

const wordOf = (choices: { value: string; word: string }[], value: string) => choices.find((c) => c.value === value)?.word ?? value

function Facts({ s, zone, input }: { s: Schedule; zone: string; input: string }) {
  const rows: [string, string][] = [
    ['Overlap', wordOf(overlap, s.overlap_policy)],
    ['Catch up', `${wordOf(catchUp, s.catch_up.policy)}${s.catch_up.policy === 'none' ? '' : `, ${duration(s.catch_up.window_seconds)} back`}${s.catch_up.policy === 'all' ? `, ${s.catch_up.max} at most` : ''}`],
    ['Clock jumps', wordOf(gap, s.dst_gap)], ['Clock goes back', wordOf(repeat, s.dst_repeat)],
    ['Version', s.version ?? 'The active one'],
    ...(s.jitter_seconds ? [['Delay', `up to ${duration(s.jitter_seconds)}`] as [string, string]] : []),
    ...(s.starts_at ? [['From', local(Date.parse(s.starts_at), zone).replace('T', ' ')] as [string, string]] : []),
    ...(s.ends_at ? [['Until', local(Date.parse(s.ends_at), zone).replace('T', ' ')] as [string, string]] : []),
  ]
  return (
    <section aria-label="Rules">
      <h2>Rules</h2>
      <dl className="rows">{rows.map(([k, v]) => <div key={k}><dt>{k}</dt><dd>{v}</dd></div>)}</dl>
      {input ? <details><summary>Input</summary><pre tabIndex={0}>{input}</pre></details> : null}
    </section>
  )
}

function Head({ s, now }: { s: Schedule; now: number }) {
  const workflow = useScheduled(s.workflow_id)
  return (
    <>
      <div className="facts">
        <StateChip state={s.status} />
        {workflow.data ? <Link href={workflowPath(workflow.data.slug)}>{workflow.data.name}</Link> : <code>{s.workflow_id}</code>}
        <code>{s.cron_expression}</code><span>{s.timezone}</span>
        {s.next_run_at && s.next_run_local ? <span>next <Time at={s.next_run_at} now={now} /> <span className="faint">({zoned(s.next_run_local)})</span></span> : null}
      </div>
      {s.status === 'paused' ? (
        <p className="banner">Paused{s.paused_by ? ` by ${s.paused_by.name}` : ''} <Time at={s.paused_at} now={now} />{s.pause_reason ? <>: “{s.pause_reason}”</> : '. No reason was given.'}</p>
      ) : null}
      {workflow.data && workflow.data.status !== 'active' ? <p className="banner">The workflow is {workflow.data.status}: its due times are skipped.</p> : null}
    </>
  )
}

export function SchedulePage({ id }: { id: string }) {
  const [, navigate] = useLocation()
  const params = new URLSearchParams(useSearch())
  const got = useSchedule(id)
  const now = useNow()
  const s = got.data?.schedule
  const zone = s && known(s.timezone) ? s.timezone : 'UTC'
  const today = local(now, zone).slice(0, 10)
  const asked = params.get('month') ?? ''
  const month = validMonth(asked) ? asked : today.slice(0, 7)
  const day = params.get('day')?.startsWith(month + '-') ? params.get('day') as string : undefined
  const calendar = useMonth(id, `${month}-01`, addDays(`${addMonths(month, 1)}-01`, -1))
  const due = useDue(id, { count: '10' }, s?.status === 'active')
  if (!s || !got.data) return <><Title text="Schedule" />{got.error ? <Problem error={got.error} retry={() => void got.refetch()} /> : <Loading />}</>
  const go = (change: { month?: string | undefined; day?: string | undefined }) => navigate(to(`/schedules/${id}`, { month: change.month, day: change.day }), { replace: true })
  return (
    <>
      <Title text={s.description || text.unnamed}><span className="spacer" /><Actions s={s} etag={got.data.etag} now={now} /></Title>
      <Head s={s} now={now} />
      <div className="ledger">
        <div>
          <Calendar month={month} data={calendar.data} today={today} day={day} go={go} />
          {calendar.error ? <Problem error={calendar.error} retry={() => void calendar.refetch()} /> : null}
          {day ? <DaySlots key={day} id={id} date={day} zone={zone} active={s.status === 'active'} now={now} /> : null}
        </div>
        <aside aria-label="What is due and how">
          {s.status === 'active' && due.data ? <section><h2>Next due</h2>{due.data.times.length ? <Due preview={due.data} /> : <p className="faint">Nothing.</p>}</section> : null}
          <Facts s={s} zone={zone} input={got.data.input} />
        </aside>
      </div>
    </>
  )
}
