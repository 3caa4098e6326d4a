import type { ReactNode } from 'react'
import { Icon } from '../Icon'
import { strings } from './strings'

// Labelled is a control with its label above, what it is about and what is wrong with it below.
// The control names describedby's ids in its aria-describedby.
export function Labelled({ id, label, required, description, errors, group, extra, children }: {
  id: string; label: string; required: boolean; description: string; errors: string[]; group?: boolean; extra?: ReactNode; children: ReactNode
}) {
  return (
    <div className={errors.length ? 'field wrong' : 'field'}>
      <div className="field-head">
        {group ? <span id={`${id}-label`} className="field-label">{label}</span> : <label htmlFor={id} className="field-label">{label}</label>}
        {required ? null : <span className="faint">{strings.optional}</span>}
        {extra}
      </div>
      {children}
      <Notes id={id} description={description} errors={errors} />
    </div>
  )
}

// Notes are the description and the errors of a field, by which its control is described.
export function Notes({ id, description, errors }: { id: string; description: string; errors: string[] }) {
  return (
    <>
      {description ? <p id={`${id}-about`} className="field-note faint">{description}</p> : null}
      {errors.length ? <p id={`${id}-wrong`} className="field-note tone-red"><Icon shape="cross" /> {errors.join('. ')}</p> : null}
    </>
  )
}

export function describedBy(id: string, description: string, errors: string[]): string | undefined {
  return [description ? `${id}-about` : '', errors.length ? `${id}-wrong` : ''].filter(Boolean).join(' ') || undefined
}
