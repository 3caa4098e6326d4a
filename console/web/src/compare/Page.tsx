import { lazy, Suspense, useEffect } from 'react'
import { Link, useLocation, useSearch } from 'wouter'
import { useDiff, useVersion, useVersions, useWorkflow, type WholeVersion } from '../api/versions'
import { keyOf } from '../diff/changes'
import { Title } from '../frame/Frame'
import { to, workflowPath } from '../routes'
import { VersionChip } from '../ui/Chip'
import { NoFunctional } from '../ui/Changes'
import { preference } from '../ui/preferences'
import { Loading, Problem } from '../ui/Problem'
import { Graph } from './Graph'
import { Patch } from './Patch'
import { Steps } from './Steps'
import { strings } from './strings'
import './style.css'

const Text = lazy(() => import('./Text').then((m) => ({ default: m.Text })))

const views = ['steps', 'graph', 'text', 'patch'] as const
type View = (typeof views)[number]

// Side chooses the version on one side, and shows which it is.
function Side({ slug, side, version, value, active, onChange }: { slug: string; side: string; version: WholeVersion | undefined; value: string; active: number | undefined; onChange: (v: string) => void }) {
  const list = useVersions(slug)
  const numbers = (list.data?.versions ?? []).map((v) => v.version)
  const own = version?.version ?? Number(value)
  return (
    <span className="side">
      <label>{side} <select value={own} onChange={(e) => onChange(e.target.value)}>
        {numbers.includes(own) ? null : <option value={own}>v{value}</option>}
        {(list.data?.versions ?? []).map((v) => <option key={v.version} value={v.version}>v{v.version}{v.label ? ` ${v.label}` : ''}{v.active ? ' (active)' : ''}</option>)}
      </select></label>
      {version ? <VersionChip version={version.version} hash={version.definition_hash} active={active} /> : null}
    </span>
  )
}

// useKeys lets n and p go through the changes, unless something is being written.
function useKeys(go: (by: number) => void) {
  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.metaKey || e.altKey || (e.target as HTMLElement).closest?.('input, textarea, select, [contenteditable=true], [role=dialog]') || document.querySelector('[role=dialog]') || !preference('letters', true)) return
      if (e.key === 'n') go(1)
      else if (e.key === 'p') go(-1)
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [go])
}

export function Compare({ slug, a, b }: { slug: string; a: string; b: string }) {
  const [, navigate] = useLocation()
  const params = new URLSearchParams(useSearch())
  const view = (views as readonly string[]).includes(params.get('view') ?? '') ? (params.get('view') as View) : 'steps'
  const step = params.get('step') ?? undefined
  const workflow = useWorkflow(slug)
  const before = useVersion(slug, a), after = useVersion(slug, b)
  const diff = useDiff(slug, a, b)
  const path = workflowPath(slug)
  const url = (x: string, y: string, change: Record<string, string | undefined> = {}) => to(`${path}/compare/${encodeURIComponent(x)}/${encodeURIComponent(y)}`, { view: view === 'steps' ? undefined : view, step, form: params.get('form') ?? undefined, ...change })
  const select = (key: string | undefined) => navigate(url(a, b, { step: key }), { replace: true })
  const changes = diff.data?.changes ?? []
  const at = changes.findIndex((c) => keyOf(c) === step)
  const go = (by: number) => {
    const next = changes[at < 0 ? (by > 0 ? 0 : changes.length - 1) : Math.max(0, Math.min(changes.length - 1, at + by))]
    if (next) select(keyOf(next))
  }
  useKeys(go)
  const error = diff.error ?? before.error ?? after.error
  const ready = diff.data && before.data && after.data ? { diff: diff.data, before: before.data, after: after.data } : null
  const active = workflow.data?.workflow.version

  return (
    <>
      <Title text={strings.compare}>
        <Link href={path} className="crumb">{workflow.data?.workflow.name ?? slug}</Link>
        <Link href={`${path}/versions`} className="crumb">{strings.versions}</Link>
      </Title>
      <div className="sides">
        <Side slug={slug} side={strings.from} version={before.data} value={a} active={active} onChange={(v) => navigate(url(v, b, { step: undefined }))} />
        <button type="button" onClick={() => navigate(url(b, a))}>⇄ {strings.swap}</button>
        <Side slug={slug} side={strings.to} version={after.data} value={b} active={active} onChange={(v) => navigate(url(a, v, { step: undefined }))} />
      </div>
      <div className="views">
        <div role="tablist" aria-label="How to compare">
          {views.map((v) => <button key={v} type="button" role="tab" id={`view-${v}`} aria-selected={v === view} aria-controls="view" onClick={() => navigate(url(a, b, { view: v === 'steps' ? undefined : v }), { replace: true })}>{strings.views[v]}</button>)}
        </div>
        <span className="spacer" />
        {changes.length > 0 && (view === 'steps' || view === 'graph') ? (
          <span className="walk">
            <span className="faint">{at < 0 ? `${changes.length} ${changes.length === 1 ? 'change' : 'changes'}` : `${at + 1} of ${changes.length}`}</span>
            <button type="button" onClick={() => go(-1)} aria-label={strings.previous} title={`${strings.previous} (p)`}>↑</button>
            <button type="button" onClick={() => go(1)} aria-label={strings.nextChange} title={`${strings.nextChange} (n)`}>↓</button>
          </span>
        ) : null}
      </div>
      {error ? <Problem error={error} retry={() => { void diff.refetch(); void before.refetch(); void after.refetch() }} /> : null}
      <div role="tabpanel" id="view" aria-labelledby={`view-${view}`}>
        {ready ? <>
          <p className="summary">{ready.diff.summary}</p>
          <NoFunctional summary={ready.diff.summary} changes={ready.diff.changes} />
          {view === 'steps' ? <Steps {...ready} selected={step} onSelect={select} /> : null}
          {view === 'graph' ? <Graph {...ready} selected={step} onSelect={select} /> : null}
          {view === 'patch' ? <Patch diff={ready.diff} /> : null}
          {view === 'text' ? <Suspense fallback={<Loading />}><Text slug={slug} before={ready.before} after={ready.after} form={params.get('form')} onForm={(form) => navigate(url(a, b, { form }), { replace: true })} /></Suspense> : null}
        </> : error ? null : <Loading />}
      </div>
    </>
  )
}
