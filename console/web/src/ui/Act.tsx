import { useId, type ReactNode } from 'react'
import { useConnection } from '../api/events'
import type { Action } from '../api/queries'
import { strings } from '../strings'

interface Props {
  can: Action[] | undefined // what the caller may do with the object
  needs: Action
  onClick: () => void
  look?: 'primary' | 'danger'
  busy?: boolean
  not?: string | false | undefined // why it is not possible now, whatever the rights
  children: ReactNode
}

// Act is the button of a change. Without the right to it, it stays in its place and says which
// right is missing: by the pointer, by the keyboard and to a screen reader.
export function Act({ can, needs, onClick, look, busy, not, children }: Props) {
  const id = useId()
  const lost = useConnection() === 'lost'
  const reason = can !== undefined && !can.includes(needs) ? strings.needs(needs) : not || (lost ? strings.offline : '')
  return (
    <span className="act">
      <button type="button" className={look} aria-disabled={Boolean(reason) || busy || undefined} aria-describedby={reason ? id : undefined}
        onClick={() => { if (!reason && !busy) onClick() }}>{children}</button>
      {reason ? <span className="why" role="tooltip" id={id}>{reason}</span> : null}
    </span>
  )
}
