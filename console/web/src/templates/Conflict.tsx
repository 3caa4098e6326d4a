import { useId } from 'react'
import { print, type Value } from '../api/lossless'
import type { Conflict } from '../api/templates'
import type { Take } from './resolutions'
import { strings } from './strings'

const written = (v: Value | undefined) => (v === undefined ? strings.gone : typeof v === 'string' ? v : print(v))

// ConflictCard is a place that both sides changed: the three texts, and what becomes of it.
export function ConflictCard({ c, take, onTake }: { c: Conflict; take: Take; onTake: (t: Take) => void }) {
  const id = useId()
  const options: [Take['take'], string][] = [['edited', strings.keep], ['new', strings.take], ['value', strings.own2]]
  const place = c.path === '' ? strings.whole : c.path.slice(1).split('/').map((p) => p.replace(/~1/g, '/').replace(/~0/g, '~')).join(' › ')
  return (
    <article className="conflict" aria-labelledby={id}>
      <h3 id={id}><code>{c.step_id ?? strings.settings}</code> {place}</h3>
      <div className="thirds">
        {([[strings.asInstalled, c.installed], [strings.yours, c.edited], [strings.theirs, c.new]] as const).map(([word, v]) => (
          <div key={word}><span className="faint">{word}</span><pre className={v === undefined ? 'faint' : undefined}>{written(v)}</pre></div>
        ))}
      </div>
      <div className="takes" role="radiogroup" aria-labelledby={id}>
        {options.map(([value, word]) => (
          <label key={value}><input type="radio" name={id} checked={take.take === value} onChange={() => onTake({ take: value, text: take.text || print(c.edited ?? c.new ?? null) })} /> {word}</label>
        ))}
      </div>
      {take.take === 'value' ? <div className="field"><label htmlFor={`${id}-value`}>{strings.value}</label><textarea id={`${id}-value`} rows={3} spellCheck={false} value={take.text} onChange={(e) => onTake({ take: 'value', text: e.target.value })} /></div> : null}
    </article>
  )
}
