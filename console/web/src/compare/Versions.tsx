import { useState } from 'react'
import { Link, useLocation, useSearch } from 'wouter'
import { useVersions, useWorkflow, type Version } from '../api/versions'
import { Change, type Write } from '../change/Change'
import { Title } from '../frame/Frame'
import { to, workflowPath } from '../routes'
import { Act } from '../ui/Act'
import { VersionChip } from '../ui/Chip'
import { Empty, Loading, Problem } from '../ui/Problem'
import { Time, useNow } from '../ui/Time'
import { Label } from './Label'
import { strings } from './strings'
import './style.css'

interface RowProps { v: Version; now: number; from: number; to: number; active: number; can: ReturnType<typeof useWorkflow>['data']; pick: (side: 'from' | 'to', version: number) => void; change: (w: Write) => void; label: () => void }

function Row({ v, now, from, to: other, active, can, pick, change, label }: RowProps) {
  const actions = can?.workflow.can
  const archived = can?.workflow.status === 'archived' && 'The workflow is archived.'
  return (
    <tr>
      <td className="pick"><input type="radio" name="from" checked={v.version === from} onChange={() => pick('from', v.version)} aria-label={`${strings.from} version ${v.version}`} /></td>
      <td className="pick"><input type="radio" name="to" checked={v.version === other} onChange={() => pick('to', v.version)} aria-label={`${strings.to} version ${v.version}`} /></td>
      <th scope="row"><VersionChip version={v.version} label={v.label} hash={v.definition_hash} />{v.active ? <span className="active-mark">Active</span> : null}</th>
      <td className="reason">{v.change_summary || <span className="faint">No summary</span>}{v.summary ? <span className="faint slug">{v.summary}</span> : null}</td>
      <td>{v.actor?.name ?? v.created_by}<span className="faint slug"><Time at={v.created_at} now={now} /></span></td>
      <td className="number">{v.runs?.open ?? 0}</td>
      <td className="number">{v.runs?.last_30d ?? 0}</td>
      <td className="row-actions">
        {v.active ? null : v.version > active
          ? <Act can={actions} needs="edit" not={archived} onClick={() => change({ kind: 'publish', version: v.version })}>{strings.publish}</Act>
          : <Act can={actions} needs="edit" not={archived} onClick={() => change({ kind: 'rollback', version: v.version })}>{strings.rollback}</Act>}
        <Act can={actions} needs="edit" not={archived} onClick={label}>{strings.label}</Act>
      </td>
    </tr>
  )
}

// Versions lists a workflow's versions, newest first; two of them are chosen to be compared.
export function Versions({ slug }: { slug: string }) {
  const [, navigate] = useLocation()
  const params = new URLSearchParams(useSearch())
  const cursor = params.get('cursor') ?? undefined
  const list = useVersions(slug, cursor)
  const workflow = useWorkflow(slug)
  const now = useNow()
  const [change, setChange] = useState<Write | null>(null)
  const [label, setLabel] = useState<Version | null>(null)
  const versions = list.data?.versions ?? []
  const right = Number(params.get('to')) || versions[0]?.version || 0
  const left = Number(params.get('from')) || versions.find((v) => v.version !== right)?.version || right
  const path = workflowPath(slug)
  const pick = (side: 'from' | 'to', version: number) => navigate(to(path + '/versions', { from: String(left), to: String(right), cursor, [side]: String(version) }), { replace: true })
  const error = list.error ?? workflow.error

  return (
    <>
      <Title text={strings.versions}>
        <Link href={path} className="crumb">{workflow.data?.workflow.name ?? slug}</Link>
        <span className="spacer" />
        {versions.length > 1 ? <Link className="button primary" href={`${path}/compare/${left}/${right}`} title={strings.compareVersions}>{strings.compare} v{left} and v{right}</Link> : null}
      </Title>
      {error ? <Problem error={error} retry={() => { void list.refetch(); void workflow.refetch() }} /> : null}
      {list.isLoading ? <Loading /> : null}
      {versions.length > 0 ? (
        <div className="scroll" tabIndex={0} role="region" aria-label={strings.versions}>
          <table className="versions">
            <thead><tr><th scope="col">{strings.from}</th><th scope="col">{strings.to}</th><th scope="col">Version</th><th scope="col">What changed</th><th scope="col">By</th><th scope="col" className="number">Open runs</th><th scope="col" className="number">Last 30 days</th><th scope="col"><span className="sr">Actions</span></th></tr></thead>
            <tbody>{versions.map((v) => <Row key={v.version} v={v} now={now} from={left} to={right} active={workflow.data?.workflow.version ?? 0} can={workflow.data} pick={pick} change={setChange} label={() => setLabel(v)} />)}</tbody>
          </table>
        </div>
      ) : null}
      {versions.length === 1 && !cursor ? <Empty title={strings.onlyOne}><p>{strings.onlyOneHelp}</p><p><Link className="button" href={path + '/edit'}>Edit the definition</Link></p></Empty> : null}
      <div className="pages">
        {cursor ? <Link href={path + '/versions'}>First page</Link> : null}
        {list.data?.next_cursor ? <Link href={to(path + '/versions', { cursor: list.data.next_cursor })}>Older versions</Link> : null}
      </div>
      {change ? <Change slug={slug} write={change} onClose={() => setChange(null)} /> : null}
      {label && workflow.data ? <Label slug={slug} version={label} etag={workflow.data.etag} onClose={() => setLabel(null)} /> : null}
    </>
  )
}
