import { Icon } from './Icon'
import { stateOf } from '../status/states'

// StateChip is a state as colour, shape and word.
export function StateChip({ state }: { state: string }) {
  const s = stateOf(state)
  return <span className={`chip tone-${s.tone}`}><Icon shape={s.shape} />{s.word}</span>
}

// VersionChip names a version wherever a run, a slot or a comparison stands for it. It is
// amber where another version is the active one.
export function VersionChip({ version, label, hash, active }: { version: number; label?: string | null; hash?: string | undefined; active?: number | undefined }) {
  const short = hash?.replace(/^sha256:/, '').slice(0, 8)
  const other = active !== undefined && active !== version
  return (
    <span className={other ? 'chip version other' : 'chip version'} title={other ? `Version ${active} is the active one` : hash}>
      v{version}{label ? ` ${label}` : ''}{short ? <code>{short}</code> : null}
    </span>
  )
}
