import { useState, type FormEvent } from 'react'
import { workflowAPI, type Version } from '../api/versions'
import { useWrite } from '../api/write'
import { Dialog } from '../ui/Dialog'
import { Problem } from '../ui/Problem'

// Label names a version, or takes its name away.
export function Label({ slug, version, etag, onClose }: { slug: string; version: Version; etag: string; onClose: () => void }) {
  const [text, setText] = useState(version.label ?? '')
  const write = useWrite(['workflow', 'versions', 'version'], onClose)
  const submit = (e: FormEvent) => {
    e.preventDefault()
    write.mutate({ path: `${workflowAPI(slug)}/versions/${version.version}`, method: 'PATCH', body: { label: text.trim() || null }, etag })
  }
  return (
    <Dialog title={`Label of version ${version.version}`} onClose={onClose}>
      <form onSubmit={submit}>
        <label className="field">Label <input value={text} onChange={(e) => setText(e.target.value)} maxLength={64} placeholder="v2.0" autoFocus spellCheck={false} /></label>
        <p className="faint">Wherever a version is named, its label will do. It begins with a letter, and no other version of the workflow has it. Empty takes it away.</p>
        {write.error ? <Problem error={write.error} /> : null}
        <div className="foot">
          <button type="button" onClick={onClose}>Cancel</button>
          <button type="submit" className="primary" disabled={write.isPending}>Save the label</button>
        </div>
      </form>
    </Dialog>
  )
}
