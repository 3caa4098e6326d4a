import { MergeView, unifiedMergeView } from '@codemirror/merge'
import { EditorState, type Extension } from '@codemirror/state'
import { EditorView, lineNumbers } from '@codemirror/view'
import { useEffect, useRef } from 'react'
import { print } from '../api/lossless'
import { useText, type WholeVersion } from '../api/versions'
import { language, look } from '../ui/code'
import { Loading, Problem } from '../ui/Problem'
import { strings } from './strings'

// Merge shows two texts with what differs, and folds what does not; beside each other where
// there is room.
function Merge({ before, after, names }: { before: string; after: string; names: [string, string] }) {
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const parent = ref.current
    if (!parent) return
    const common = (name: string): Extension => [look(), language('yaml'), lineNumbers(), EditorState.readOnly.of(true), EditorView.lineWrapping, EditorView.contentAttributes.of({ 'aria-label': name, tabindex: '0' })]
    const fold = { margin: 3, minSize: 4 }
    if (parent.clientWidth < 720) {
      const view = new EditorView({ parent, doc: after, extensions: [common(`${names[0]} and ${names[1]}`), unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged: fold, gutter: true })] })
      return () => view.destroy()
    }
    const view = new MergeView({ parent, a: { doc: before, extensions: common(names[0]) }, b: { doc: after, extensions: common(names[1]) }, collapseUnchanged: fold, gutter: true })
    return () => view.destroy()
  }, [before, after, names[0], names[1]])
  return <div className="merge" ref={ref} />
}

// Text compares what was written. Where only one of the two has a text that was written, keys
// stand in different orders: both are then compared in canonical form, unless one wants otherwise.
export function Text({ slug, before, after, form, onForm }: { slug: string; before: WholeVersion; after: WholeVersion; form: string | null; onForm: (form: string) => void }) {
  const written = form ? form === 'written' : Boolean(before.source) === Boolean(after.source)
  const left = useText(slug, String(before.version)), right = useText(slug, String(after.version))
  const error = written ? left.error ?? right.error : null
  const texts = written ? [left.data, right.data] : [print(before.definition) + '\n', print(after.definition) + '\n']
  const [a, b] = texts
  return (
    <>
      <div className="forms" role="radiogroup" aria-label="Form of the text">
        <label><input type="radio" name="form" checked={written} onChange={() => onForm('written')} /> {strings.asWritten}</label>
        <label><input type="radio" name="form" checked={!written} onChange={() => onForm('canonical')} /> {strings.canonical}</label>
      </div>
      {error ? <Problem error={error} /> : null}
      {a === b && a !== undefined ? <p className="banner">Both texts are the same.</p> : null}
      {a !== undefined && b !== undefined ? <Merge before={a} after={b} names={[`Version ${before.version}`, `Version ${after.version}`]} /> : error ? null : <Loading />}
    </>
  )
}
