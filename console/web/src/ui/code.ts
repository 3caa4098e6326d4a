// How code looks in CodeMirror: on the tokens, so that it follows light and dark, with styles
// that the page's policy admits.
import { json } from '@codemirror/lang-json'
import { yaml } from '@codemirror/lang-yaml'
import { syntaxHighlighting } from '@codemirror/language'
import type { Extension } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { classHighlighter } from '@lezer/highlight'
import './code.css'

const theme = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--bg)', fontSize: '13px' },
  '.cm-scroller': { fontFamily: 'ui-monospace, monospace', lineHeight: '20px' },
  '.cm-content': { caretColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--raised)', color: 'var(--faint)', border: '0', borderRight: '1px solid var(--line)' },
  '&.cm-focused': { outline: '2px solid var(--link)', outlineOffset: '-2px' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--link) 7%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'color-mix(in srgb, var(--link) 25%, transparent)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-tooltip': { backgroundColor: 'var(--bg)', border: '1px solid var(--line)', borderRadius: '6px', color: 'var(--text)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'light-dark(#0b57d0, #1f6feb)', color: '#fff' },
  '.cm-panels': { backgroundColor: 'var(--raised)', color: 'var(--text)' },
  '.cm-collapsedLines': { background: 'var(--raised)', color: 'var(--faint)', padding: '2px 8px' },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { backgroundColor: 'color-mix(in srgb, var(--green) 20%, transparent)' },
})

// look is what every editor has. Its styles carry the page's nonce.
export function look(): Extension {
  const nonce = document.querySelector<HTMLMetaElement>('meta[name=nonce]')?.content ?? ''
  return [EditorView.cspNonce.of(nonce), theme, syntaxHighlighting(classHighlighter)]
}

export const language = (format: string): Extension => (format === 'json' ? json() : yaml())
