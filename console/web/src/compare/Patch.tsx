import { useState } from 'react'
import { print } from '../api/lossless'
import type { Diff } from '../diff/changes'
import { strings } from './strings'

const most = 500_000 // characters that are shown; all of them are copied

export function Patch({ diff }: { diff: Diff }) {
  const [copied, setCopied] = useState(false)
  const text = print(diff.diff)
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
  }
  return (
    <div className="patch">
      <p className="faint">{strings.patchHelp} <button type="button" onClick={() => void copy()}>{copied ? strings.copied : strings.copy}</button></p>
      <pre tabIndex={0} aria-label="JSON Patch">{text.length > most ? `${text.slice(0, most)}…` : text}</pre>
    </div>
  )
}
