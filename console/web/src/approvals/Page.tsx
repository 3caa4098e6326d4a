import { useState } from 'react'
import { Link } from 'wouter'
import { useApproval, type Approval } from '../api/approvals'
import { Exact, print, type Value } from '../api/lossless'
import { Title } from '../frame/Frame'
import { runPath, workflowPath } from '../routes'
import { Answer } from '../ui/Answer'
import { StateChip, VersionChip } from '../ui/Chip'
import { Loading, Problem } from '../ui/Problem'
import { isSchema } from '../ui/schema/kinds'
import { Time, useNow } from '../ui/Time'
import { strings } from './strings'
import './style.css'

const plain = (v: Value): boolean => typeof v !== 'object' || v === null || v instanceof Exact
const word = (v: Value) => (typeof v === 'string' ? v : print(v))

// Shown is one value of the context: texts as they are, lists of plain values as lists.
function Shown({ value }: { value: Value }) {
  if (plain(value)) return <>{word(value)}</>
  if (Array.isArray(value) && value.length > 0 && value.every(plain)) return <ul className="values">{value.map((v, i) => <li key={i}>{word(v)}</li>)}</ul>
  return <pre tabIndex={0}>{print(value)}</pre>
}

// Context is what the definition shows to whoever answers: members as a list, the rest as JSON.
function Context({ value }: { value: Value }) {
  if (value === null) return null
  const omitted = isSchema(value) ? value['$omitted'] : undefined
  return (
    <section aria-labelledby="context-title">
      <h2 id="context-title">{strings.context}</h2>
      {omitted !== undefined ? <p className="faint">{strings.omitted(print(omitted))}</p>
        : isSchema(value) ? <dl className="context">{Object.entries(value).map(([k, v]) => <div key={k}><dt>{k}</dt><dd><Shown value={v} /></dd></div>)}</dl>
          : <div className="context-text"><Shown value={value} /></div>}
    </section>
  )
}

// Closed says what became of an approval that is not open any more.
function Closed({ a, now }: { a: Approval; now: number }) {
  return (
    <section className="closed" aria-label={strings.outcome}>
      <p><StateChip state={a.status} /> {a.status === 'answered' ? strings.answeredBy(a.answered_by?.name ?? strings.somebody) : a.status === 'expired' ? strings.expiredText : strings.cancelledText} <span className="faint"><Time at={a.closed_at} now={now} /></span></p>
      {a.status === 'answered' ? <pre tabIndex={0}>{print(a.payload)}</pre> : null}
      {a.comment ? <p className="said"><span className="faint">{strings.saidComment}</span> {a.comment}</p> : null}
    </section>
  )
}

// ApprovalPage is whole for someone who sees nothing else: what is asked, what to look at, until
// when, and the form. What they may not open is text, not a link.
export function ApprovalPage({ id }: { id: string }) {
  const found = useApproval(id)
  const now = useNow()
  const [asked, setAsked] = useState(false) // it was open while this page was
  const a = found.data
  if (!a) return found.error ? <><Title text={strings.title} /><Problem error={found.error} retry={() => void found.refetch()} /></> : <Loading />
  if (a.status === 'open' && !asked) setAsked(true)
  const view = a.can.includes('view')
  const name = a.workflow.name ?? a.workflow.slug
  return (
    <div className="approval">
      <Title text={a.prompt || a.step_name || a.signal} />
      <div className="facts">
        <StateChip state={a.status} />
        {view ? <Link href={workflowPath(a.workflow.slug)}>{name}</Link> : <span>{name}</span>}
        <VersionChip version={a.version} />
        <span className="faint">{strings.asked.toLowerCase()} <Time at={a.opened_at} now={now} /></span>
        {a.status === 'open' && a.expires_at ? <span className="faint">{strings.expires.toLowerCase()} <Time at={a.expires_at} now={now} />, {strings.onTimeout(a.on_timeout ?? 'fail')}</span> : null}
      </div>
      <Context value={a.context} />
      {a.status === 'open' || asked ? <Answer id={id} bare /> : null}
      {a.status === 'open' ? null : <Closed a={a} now={now} />}
      <dl className="facts faint approval-facts">
        <div><dt>{strings.step}</dt><dd>{a.step_name ?? a.step_id}{a.iteration ? ` (${a.iteration})` : ''}</dd></div>
        {a.started_by ? <div><dt>{strings.startedBy}</dt><dd>{a.started_by.name}</dd></div> : null}
        <div><dt>{strings.run}</dt><dd>{view ? <Link href={runPath(a.run_id)}>{a.run_id}</Link> : a.run_id}</dd></div>
      </dl>
      <p><Link href="/approvals">{strings.back}</Link></p>
    </div>
  )
}
