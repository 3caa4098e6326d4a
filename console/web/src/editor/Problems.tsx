import type { Read } from '../yaml/document'
import { fixOf, type Diagnostic } from '../yaml/place'
import { strings } from './strings'
import type { Edit } from '../yaml/edit'

const most = 200

// Problems lists what the server found; a row leads to its place.
export function Problems({ diagnostics, read: r, go, edit }: { diagnostics: Diagnostic[]; read: Read; go: (d: Diagnostic) => void; edit: ((e: Edit) => void) | null }) {
  return (
    <section className="problems" aria-label={strings.problems}>
      <h2>{diagnostics.length === 0 ? strings.noProblems : `${strings.problems} (${diagnostics.length})`}</h2>
      <ul>
        {diagnostics.slice(0, most).map((d, i) => {
          const fix = edit ? fixOf(r, d) : null
          return (
            <li key={i} className={d.severity}>
              <span className="sign" aria-hidden="true">{d.severity === 'error' ? '✕' : '!'}</span>
              <button type="button" className="link" onClick={() => go(d)}><span className="sr">{d.severity}: </span>{d.message}</button>
              <span className="faint">{d.line ? `${d.line}:${d.column ?? 1}` : ''}</span>
              {fix && edit ? <button type="button" onClick={() => edit(fix)}>{strings.fix(fix.insert)}</button> : null}
            </li>
          )
        })}
      </ul>
      {diagnostics.length > most ? <p className="faint">And {diagnostics.length - most} more.</p> : null}
    </section>
  )
}
