import { useState } from 'react'
import { Dialog } from '../ui/Dialog'
import { prefer, preference } from '../ui/preferences'
import { strings } from './strings'

// Keys lists the keys, and switches single letters off.
export function Keys({ onClose }: { onClose: () => void }) {
  const [letters, setLetters] = useState(preference('letters', true))
  return (
    <Dialog title={strings.keys} onClose={onClose}>
      <dl className="keys">
        {strings.keyList.map(([keys, what]) => <div key={keys}><dt>{keys.split('  ').map((k) => <kbd key={k}>{k}</kbd>)}</dt><dd>{what}</dd></div>)}
      </dl>
      <label className="check"><input type="checkbox" checked={letters} onChange={(e) => { setLetters(e.target.checked); prefer('letters', e.target.checked) }} /> {strings.letters}</label>
    </Dialog>
  )
}
