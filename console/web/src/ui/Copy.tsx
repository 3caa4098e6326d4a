import { useState } from 'react'
import { Icon } from './Icon'

// Copy puts a text into the clipboard and says so.
export function Copy({ text, label }: { text: string; label: string }) {
  const [done, setDone] = useState(false)
  async function copy() {
    try {
      await navigator.clipboard.writeText(text)
      setDone(true)
      setTimeout(() => setDone(false), 1_500)
    } catch {
      setDone(false) // the browser forbids it: the text can be selected
    }
  }
  return (
    <button type="button" className="copy" aria-label={label} title={label} onClick={() => void copy()}>
      <Icon shape={done ? 'check' : 'copy'} /><span className="sr" role="status">{done ? 'Copied' : ''}</span>
    </button>
  )
}
