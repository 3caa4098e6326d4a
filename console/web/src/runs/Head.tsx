import { useContext } from 'react'
import { Link } from 'wouter'
import { useWorkflow } from '../api/versions'
import { Title } from '../frame/Frame'
import { workflowPath } from '../routes'
import { absolute } from '../time/time'
import { StateChip, VersionChip } from '../ui/Chip'
import { Copy } from '../ui/Copy'
import { Clock, Duration, Time } from '../ui/Time'
import { terminal, type RunDetail } from './live'
import { Steering } from './Steering'
import { strings } from './strings'
import type { Value } from '../api/lossless'

function Starter({ run }: { run: RunDetail }) {
  const { utc } = useContext(Clock)
  const by = run.started_by
  return (
    <span>by {run.schedule_id ? <Link href={`/schedules/${encodeURIComponent(run.schedule_id)}`}>{by?.name || 'a schedule'}</Link> : (by?.name || run.trigger)}
      {run.due_at ? <>, {strings.due} <time dateTime={run.due_at}>{absolute(Date.parse(run.due_at), utc)}</time></> : null}</span>
  )
}

// Head says what a run is: its state, its version beside the active one, where it came from.
export function Head({ run, now, definition, onChanged }: { run: RunDetail; now: number; definition: Value | undefined; onChanged: () => void }) {
  const slug = run.workflow.slug
  const workflow = useWorkflow(slug).data?.workflow
  const other = workflow && workflow.version !== run.version
  const open = !terminal.has(run.status)
  const seconds = open && run.started_at ? Math.max(0, (now - Date.parse(run.started_at)) / 1000) : run.duration_seconds
  return (
    <>
      <div className="run-top">
        <Title text={run.workflow.name}><span className="run-state"><StateChip state={run.status} /></span></Title>
        <Steering run={run} definition={definition} active={workflow?.version} latest={workflow?.latest_version} onChanged={onChanged} />
      </div>
      <div className="facts run-facts">
        <Link href={workflowPath(slug)}><VersionChip version={run.version} label={run.version_label} hash={run.definition_hash} active={workflow?.version} /></Link>
        {other ? <span className="faint">{strings.activeIs(workflow.version)} · <Link href={`${workflowPath(slug)}/compare/${run.version}/${workflow.version}`}>{strings.compare}</Link></span> : null}
        <span className="faint"><code>{run.id}</code><Copy text={run.id} label="Copy the run's id" /></span>
        <Starter run={run} />
        <Time at={run.started_at ?? run.created_at} now={now} />
        <Duration seconds={seconds} />
        {run.counts ? <span>{run.counts['completed']} of {run.counts['total']} steps</span> : null}
        {Object.entries(run.labels ?? {}).map(([k, v]) => <span key={k} className="label">{k}: {v}</span>)}
      </div>
    </>
  )
}
