import { acceptCompletion, autocompletion, startCompletion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete'
import { indentWithTab } from '@codemirror/commands'
import { lintGutter, setDiagnostics, type Diagnostic as Lint } from '@codemirror/lint'
import { EditorState, Prec } from '@codemirror/state'
import { EditorView, keymap } from '@codemirror/view'
import { basicSetup } from 'codemirror'
import { useEffect, useRef } from 'react'
import { language, look } from '../ui/code'
import type { Completion } from '../yaml/complete'
import { read } from '../yaml/document'
import { fixOf, spotOf } from '../yaml/place'
import type { Found } from './diagnostics'
import { strings } from './strings'

interface Props {
  text: string // at the beginning; another one makes a new editor
  format: 'yaml' | 'json'
  readOnly: boolean
  found: Found
  complete: (text: string, pos: number) => Completion | null
  onText: (text: string) => void
  onCursor: (at: number) => void
  onSave: () => void
  onView: (view: EditorView | null) => void
}

// lints places what the server found in the text.
function lints(text: string, found: Found): Lint[] {
  const r = read(text)
  return found.diagnostics.map((d): Lint => {
    const fix = fixOf(r, d)
    return {
      ...spotOf(r, d), severity: d.severity, message: d.message, source: d.code,
      ...(fix ? { actions: [{ name: strings.fix(fix.insert), apply: (view) => view.dispatch({ changes: fix, userEvent: 'input.fix' }) }] } : {}),
    }
  })
}

function source(complete: Props['complete']) {
  return (c: CompletionContext): CompletionResult | null => {
    const word = c.matchBefore(/[\w-]*$/)
    const before = c.state.sliceDoc(Math.max(0, c.pos - 1), c.pos)
    if (!c.explicit && !(word && word.from < word.to) && !/[.{]/.test(before)) return null
    const found = complete(c.state.doc.toString(), c.pos)
    if (!found || found.options.length === 0) return null
    return {
      from: found.from, validFor: /^[\w-]*$/,
      options: found.options.map((o) => ({ label: o.label, apply: o.insert ?? o.label, ...(o.detail ? { detail: o.detail } : {}), ...(o.info ? { info: o.info } : {}) })),
    }
  }
}

// Code is the text. Lines are parted by \n alone, so that every other character stays as it is.
export function Code({ text, format, readOnly, found, complete, onText, onCursor, onSave, onView }: Props) {
  const parent = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const now = useRef({ complete, onText, onCursor, onSave, onView })
  now.current = { complete, onText, onCursor, onSave, onView }
  useEffect(() => {
    if (!parent.current) return
    const made = new EditorView({
      parent: parent.current, doc: text,
      extensions: [
        Prec.highest(keymap.of([{ key: 'Mod-s', preventDefault: true, run: () => { now.current.onSave(); return true } }, { key: 'Tab', run: acceptCompletion }, { key: 'Ctrl-.', run: startCompletion }])),
        basicSetup, keymap.of([indentWithTab]), look(), language(format), lintGutter(),
        EditorState.lineSeparator.of('\n'), EditorState.readOnly.of(readOnly), EditorState.tabSize.of(2),
        autocompletion({ override: [source((t, p) => now.current.complete(t, p))], activateOnTypingDelay: 80 }),
        EditorView.contentAttributes.of({ 'aria-label': strings.definition, tabindex: '0' }),
        EditorView.updateListener.of((u) => {
          if (u.docChanged) now.current.onText(u.state.doc.toString())
          if (u.selectionSet || u.docChanged) now.current.onCursor(u.state.selection.main.head)
        }),
      ],
    })
    view.current = made
    now.current.onView(made)
    return () => { now.current.onView(null); view.current = null; made.destroy() }
  }, [text, format, readOnly])
  useEffect(() => {
    const v = view.current
    if (!v || found.of === '' || v.state.doc.toString() !== found.of) return
    v.dispatch(setDiagnostics(v.state, lints(found.of, found)))
  }, [found])
  return <div className="code" ref={parent} />
}
