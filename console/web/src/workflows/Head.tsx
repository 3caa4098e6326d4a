import { Link, useLocation } from 'wouter'
import type { WorkflowWhole } from '../api/workflow'
import { Title } from '../frame/Frame'
import { to, workflowPath } from '../routes'
import { Act } from '../ui/Act'
import { StateChip, VersionChip } from '../ui/Chip'
import { strings } from './strings'

// whyNot says why a workflow starts no runs, if it does not.
export const whyNot = (w: WorkflowWhole) => (w.status !== 'active' ? strings.notActive(w.status) : undefined)

// Head stands above all tabs of a workflow.
export function Head({ w, at, onRun }: { w: WorkflowWhole; at: 'overview' | 'settings'; onRun: () => void }) {
  const [, navigate] = useLocation()
  const path = workflowPath(w.slug)
  const tabs: [string, string, boolean][] = [
    [path, strings.overview, at === 'overview'], [`${path}/versions`, strings.versions, false], [to('/runs', { workflow: w.slug }), strings.runs, false],
    [to('/schedules', { workflow: w.slug }), strings.schedules, false], [`${path}/settings`, strings.settings, at === 'settings'],
  ]
  return (
    <>
      <Title text={w.name}>
        <span className="spacer" />
        <Act can={w.can} needs="edit" onClick={() => navigate(`${path}/edit`)}>{strings.edit}</Act>
        <Act can={w.can} needs="execute" look="primary" not={whyNot(w)} onClick={onRun}>{strings.run}</Act>
      </Title>
      <div className="facts">
        <code className="faint">{w.slug}</code>
        <StateChip state={w.status} />
        <Link href={`${path}/versions`} className="wf-plain"><VersionChip version={w.version} hash={w.definition_hash} /></Link>
        {w.latest_version > w.version ? <span className="hint">{strings.newer(w.latest_version)}: <Link href={`${path}/compare/${w.version}/${w.latest_version}`}>{strings.compare}</Link></span> : null}
        {w.update_available ? <span className="hint">{strings.update(w.update_available)}: <Link href={`${path}/update`}>{strings.review}</Link></span> : null}
        {w.tags.map((t) => <Link key={t} className="tag" href={to('/workflows', { tag: t })}>{t}</Link>)}
      </div>
      <div className="wf-tabs" role="navigation" aria-label={strings.tabs}>
        {tabs.map(([href, word, here]) => <Link key={word} href={href} aria-current={here ? 'page' : undefined}>{word}</Link>)}
      </div>
    </>
  )
}
