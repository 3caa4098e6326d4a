import { Dialog as Radix } from 'radix-ui'
import { useState, type ReactNode } from 'react'
import { strings } from '../strings'
import { Icon } from './Icon'

// Dialog is a layer above the screen: it holds the focus, Escape closes it, and the focus
// returns to what opened it.
export function Dialog({ title, onClose, wide, children }: { title: string; onClose: () => void; wide?: boolean; children: ReactNode }) {
  const [opener] = useState(() => document.activeElement)
  const back = (e: Event) => {
    e.preventDefault() // the focus would go to a trigger, which there is not
    if (opener instanceof HTMLElement) opener.focus()
  }
  return (
    <Radix.Root open onOpenChange={(open) => { if (!open) onClose() }}>
      <Radix.Portal>
        <Radix.Overlay className="overlay" />
        <Radix.Content className={wide ? 'dialog wide' : 'dialog'} aria-describedby={undefined} onCloseAutoFocus={back}>
          <div className="dialog-head">
            <Radix.Title>{title}</Radix.Title>
            <Radix.Close className="bare" aria-label={strings.close}><Icon shape="cross" /></Radix.Close>
          </div>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
