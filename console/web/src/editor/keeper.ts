// Keeps what is written as the caller's draft: two seconds after a change, and at once when
// something needs it. One request is in flight at a time. A draft that another device saved
// meanwhile is never overwritten: it is handed over, and a person decides.
import { call, Failure } from '../api/client'
import { workflowAPI, type Source } from '../api/versions'
import { readDraft, type Draft } from './load'

export type Keeping =
  | { state: 'clean' } | { state: 'dirty' } | { state: 'saving' } | { state: 'saved'; at: string }
  | { state: 'failed'; error: unknown } | { state: 'elsewhere'; theirs: Draft }

const pause = 2_000 // ms

export class Keeper {
  private etag: string
  private base: number
  private text: string
  private kept: string
  private timer: ReturnType<typeof setTimeout> | undefined
  private flight: Promise<boolean> | null = null
  private stopped = false

  constructor(private readonly slug: string, private readonly me: string, readonly format: Source['format'], start: { text: string; etag: string; base: number }, private readonly tell: (k: Keeping) => void) {
    this.text = this.kept = start.text
    this.etag = start.etag
    this.base = start.base
  }

  get baseVersion() { return this.base }
  get hasDraft() { return this.etag !== '' }

  // change takes a text to be kept.
  change(text: string) {
    if (text === this.text) return
    this.text = text
    if (this.stopped) return
    this.tell({ state: 'dirty' })
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.flush(), pause)
  }

  // rebase says that the text is a change of a later version from now on.
  rebase(version: number, text: string): Promise<boolean> {
    this.base = version
    this.text = text
    this.kept = ''
    return this.flush()
  }

  // adopt goes on from what another device saved: its text is the one that was kept last.
  adopt(theirs: Draft, text: string) {
    this.stopped = false
    this.etag = theirs.etag
    this.base = theirs.base_version
    this.kept = theirs.source.text
    this.text = text
    if (text === this.kept) this.tell({ state: 'saved', at: theirs.updated_at })
    else void this.flush()
  }

  // forget says that the draft is gone: it became a version, or was discarded.
  forget(version: number, text: string) {
    clearTimeout(this.timer)
    this.etag = ''
    this.base = version
    this.text = this.kept = text
    this.tell({ state: 'clean' })
  }

  stop() { clearTimeout(this.timer) }

  // flush saves what is not saved yet, and reports whether all is. force makes a draft of what has
  // not changed too.
  async flush(force = false): Promise<boolean> {
    clearTimeout(this.timer)
    while (this.flight) await this.flight
    if (this.stopped) return false
    if (this.text === this.kept && !(force && this.etag === '')) return true
    this.flight = this.save(this.text)
    const done = await this.flight
    return done && (this.text === this.kept || this.flush())
  }

  private async save(text: string): Promise<boolean> {
    this.tell({ state: 'saving' })
    try {
      if (this.etag === '') {
        const { mine } = await readDraft(this.slug, this.me)
        if (mine) return this.stand(mine)
      }
      const answer = await call<Draft>(workflowAPI(this.slug) + '/draft', { method: 'PUT', body: { source: { format: this.format, text }, base_version: this.base }, headers: this.etag ? { 'If-Match': this.etag } : {} })
      this.etag = answer.etag
      this.kept = text
      this.tell(this.text === text ? { state: 'saved', at: answer.data.updated_at } : { state: 'dirty' })
      return true
    } catch (e) {
      if (e instanceof Failure && e.status === 412) {
        const { mine } = await readDraft(this.slug, this.me)
        if (mine) return this.stand(mine)
        this.etag = '' // it became a version elsewhere: this one is a draft of its own
        return this.save(text)
      }
      this.tell({ state: 'failed', error: e })
      return false
    } finally {
      this.flight = null
    }
  }

  private stand(theirs: Draft): false {
    this.stopped = true
    this.tell({ state: 'elsewhere', theirs })
    return false
  }
}
