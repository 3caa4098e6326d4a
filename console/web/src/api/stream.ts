// Server-sent events through fetch: EventSource can neither begin at a position nor say why
// it failed.
import { base } from '../routes'

export interface Frame { event: string; data: string; id: string }

// Splitter takes text as it comes and returns whole frames.
export class Splitter {
  private rest = ''
  push(text: string): Frame[] {
    this.rest += text
    const frames: Frame[] = []
    for (;;) {
      const end = this.rest.indexOf('\n\n')
      if (end < 0) return frames
      const frame = read(this.rest.slice(0, end))
      this.rest = this.rest.slice(end + 2)
      if (frame) frames.push(frame)
    }
  }
}

function read(block: string): Frame | null {
  const frame: Frame = { event: 'message', data: '', id: '' }
  const data: string[] = []
  for (const line of block.split('\n')) {
    if (line.startsWith(':')) continue // a heartbeat
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'data') data.push(value)
    else if (field === 'event') frame.event = value
    else if (field === 'id') frame.id = value
  }
  frame.data = data.join('\n')
  return data.length || frame.id ? frame : null
}

// follow reads a stream until the signal aborts or the server says that it ended (204, or
// done returns true). A break is followed by another try, after 0.5 s at first and 15 s at
// most; path and last (for Last-Event-ID) are asked again, so that it can begin where the last
// frame was.
export async function follow(path: () => string, signal: AbortSignal, onFrame: (f: Frame) => boolean, onState: (connected: boolean) => void, last: () => string = () => ''): Promise<void> {
  let wait = 500
  while (!signal.aborted) {
    try {
      const response = await fetch(base + path(), { signal, credentials: 'same-origin', headers: { Accept: 'text/event-stream', ...(last() ? { 'Last-Event-ID': last() } : {}) }, cache: 'no-store' })
      if (response.status === 204) return
      if (response.status === 401 || response.status === 403 || response.status === 404) return
      if (!response.ok || !response.body) throw new Error(String(response.status))
      onState(true)
      wait = 500
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      const splitter = new Splitter()
      for (;;) {
        const { value, done } = await reader.read()
        if (done) break
        for (const frame of splitter.push(value)) if (onFrame(frame)) { await reader.cancel(); return }
      }
    } catch {
      if (signal.aborted) return
    }
    onState(false)
    await new Promise((r) => setTimeout(r, wait * (0.75 + Math.random() / 2)))
    wait = Math.min(15_000, wait * 2)
  }
}
