import { useContext, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { call } from '../api/client'
import { workflowAPI, useWorkflow } from '../api/versions'
import { Change } from '../change/Change'
import { Title } from '../frame/Frame'
import { workflowPath } from '../routes'
import { absolute } from '../time/time'
import { Act } from '../ui/Act'
import { VersionChip } from '../ui/Chip'
import { Dialog } from '../ui/Dialog'
import { Problem } from '../ui/Problem'
import { Clock } from '../ui/Time'
import type { Diagnostic } from '../yaml/place'
import type { Keeper, Keeping } from './keeper'
import { readSource, type Start } from './load'
import { Merge } from './Merge'
import { strings } from './strings'

interface Props { slug: string; start: Start; text: string; keeper: Keeper; keeping: Keeping; diagnostics: Diagnostic[]; mayEdit: boolean; onText: (text: string) => void; restart: () => void; panel: (p: string) => void }

// Kept says how the draft stands.
function Kept({ keeping, base, hasDraft }: { keeping: Keeping; base: number; hasDraft: boolean }) {
  const { utc } = useContext(Clock)
  const words: Record<Keeping['state'], string> = {
    clean: 'No changes', dirty: 'Not saved yet', saving: 'Saving…', failed: 'Could not be saved; it stays in this page and is tried again with the next change',
    elsewhere: 'Changed on another device', saved: keeping.state === 'saved' ? `Draft saved ${absolute(Date.parse(keeping.at), utc).split(', ')[1] ?? ''}` : '',
  }
  return <span className={keeping.state === 'failed' || keeping.state === 'elsewhere' ? 'note kept' : 'faint kept'} role="status">{hasDraft || keeping.state !== 'clean' ? `Draft on v${base} · ` : `v${base} · `}{words[keeping.state]}</span>
}

// Elsewhere is shown when the same person's draft was saved by another browser.
function Elsewhere({ keeping, mine, keeper, onText }: { keeping: Extract<Keeping, { state: 'elsewhere' }>; mine: string; keeper: Keeper; onText: (t: string) => void }) {
  const { utc } = useContext(Clock)
  return (
    <div className="problem elsewhere" role="alert">
      <p>This draft was saved on another device, {absolute(Date.parse(keeping.theirs.updated_at), utc)}. Which text goes on? The other one can be had back by undo as long as this page is open.</p>
      <div className="buttons">
        <button type="button" onClick={() => { onText(keeping.theirs.source.text); keeper.adopt(keeping.theirs, keeping.theirs.source.text) }}>{strings.takeTheirs}</button>
        <button type="button" onClick={() => keeper.adopt(keeping.theirs, mine)}>{strings.keepMine}</button>
      </div>
    </div>
  )
}

function Discard({ slug, onClose, onDone }: { slug: string; onClose: () => void; onDone: () => void }) {
  const [error, setError] = useState<unknown>(null)
  const discard = async () => {
    try {
      await call(workflowAPI(slug) + '/draft', { method: 'DELETE' })
      onDone()
    } catch (e) { setError(e) }
  }
  return (
    <Dialog title="Discard the draft?" onClose={onClose}>
      <p>What you wrote since the version that it began with is gone then.</p>
      {error ? <Problem error={error} /> : null}
      <div className="foot"><button type="button" onClick={onClose}>Keep it</button><button type="button" className="danger" onClick={() => void discard()}>Discard it</button></div>
    </Dialog>
  )
}

export function Toolbar({ slug, start, text, keeper, keeping, diagnostics, mayEdit, onText, restart, panel }: Props) {
  const [, navigate] = useLocation()
  const [open, setOpen] = useState<'save' | 'merge' | 'discard' | null>(null)
  const [said, say] = useState('')
  const workflow = useWorkflow(slug).data?.workflow ?? start.workflow
  const path = workflowPath(slug)
  const errors = diagnostics.filter((d) => d.severity === 'error').length
  const behind = workflow.latest_version > keeper.baseVersion
  const unchanged = !keeper.hasDraft && text === start.source.text && keeping.state === 'clean'
  const save = async () => {
    say('')
    if (await keeper.flush(true)) setOpen(behind ? 'merge' : 'save')
  }
  const merged = (next: string, version: number, left: number) => {
    setOpen(null)
    onText(next)
    say(left ? `${left} of their changes found no place in the text: compare with v${version}.` : `Both changes are in the draft now, which is one of v${version}.`)
    void keeper.rebase(version, next).then((done) => { if (done && left === 0) setOpen('save') })
  }
  const done = async (version: number, published: boolean) => {
    say(published ? `v${version} is saved and active.` : `v${version} is saved; it is not published.`)
    keeper.forget(version, text)
    const kept = await readSource(slug, version)
    if (kept.text !== text) onText(kept.text)
  }
  return (
    <>
      <Title text={strings.title}>
        <Link href={path} className="crumb">{workflow.name}</Link>
        <VersionChip version={workflow.version} hash={workflow.definition_hash} />
        <span className="spacer" />
        <button type="button" onClick={() => panel('run')}>{strings.dryRun}</button>
        <Act can={workflow.can} needs="edit" not={!mayEdit ? strings.archived : errors > 0 ? `${errors} ${errors === 1 ? 'problem' : 'problems'} to mend first.` : unchanged ? 'Nothing has changed.' : false} look="primary" onClick={() => void save()}>{strings.save}</Act>
      </Title>
      <div className="standing">
        <Kept keeping={keeping} base={keeper.baseVersion} hasDraft={keeper.hasDraft} />
        <span className={errors ? 'tone-red' : 'faint'}>{diagnostics.length === 0 ? strings.noProblems : `${diagnostics.length} ${diagnostics.length === 1 ? 'problem' : 'problems'}`}</span>
        {start.others.map((d) => <span key={d.owner?.id} className="faint">{d.owner?.name} has a draft too</span>)}
        <span className="spacer" />
        {keeper.hasDraft ? <button type="button" className="link" onClick={() => setOpen('discard')}>{strings.discard}</button> : null}
        <Link href={path + '/versions'}>Versions</Link>
      </div>
      {said ? <p className="banner" role="status">{said}</p> : null}
      {keeping.state === 'failed' ? <Problem error={keeping.error} retry={() => void keeper.flush()} /> : null}
      {keeping.state === 'elsewhere' ? <Elsewhere keeping={keeping} mine={text} keeper={keeper} onText={onText} /> : null}
      {behind && keeping.state !== 'elsewhere' && open === null ? <p className="banner behind">v{workflow.latest_version} was saved since v{keeper.baseVersion}, on which this text stands. <button type="button" onClick={() => void keeper.flush(true).then((ok) => { if (ok) setOpen('merge') })}>Put both together…</button></p> : null}
      {open === 'save' ? <Change slug={slug} write={{ kind: 'save' }} onClose={() => setOpen(null)} onOutdated={() => setOpen('merge')} onDone={(w, published) => void done(w.latest_version, published)} /> : null}
      {open === 'merge' ? <Merge slug={slug} base={keeper.baseVersion} mine={{ format: keeper.format, text }} onClose={() => setOpen(null)} onMerged={merged} /> : null}
      {open === 'discard' ? <Discard slug={slug} onClose={() => setOpen(null)} onDone={() => { setOpen(null); keeper.stop(); navigate(path + '/edit', { replace: true }); restart() }} /> : null}
    </>
  )
}
