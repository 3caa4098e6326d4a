const grace = 10_000 // ms that a hidden tab keeps what it follows

// whileVisible calls work each time the tab is seen; its signal aborts ten seconds after the tab
// was hidden, and with the outer one.
export async function whileVisible(outer: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  while (!outer.aborted) {
    await seen(outer)
    if (outer.aborted) return
    const inner = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const change = () => {
      clearTimeout(timer)
      if (document.visibilityState === 'hidden') timer = setTimeout(() => inner.abort(), grace)
    }
    const end = () => inner.abort()
    change()
    document.addEventListener('visibilitychange', change)
    outer.addEventListener('abort', end)
    try {
      await work(inner.signal)
      if (!inner.signal.aborted) return // it is over by itself
    } finally {
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', change)
      outer.removeEventListener('abort', end)
    }
  }
}

// seen returns when the tab is visible, or the signal aborts.
function seen(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (document.visibilityState === 'visible' || signal.aborted) { done(); return }
    const look = () => {
      if (document.visibilityState === 'hidden' && !signal.aborted) return
      document.removeEventListener('visibilitychange', look)
      signal.removeEventListener('abort', look)
      done()
    }
    document.addEventListener('visibilitychange', look)
    signal.addEventListener('abort', look)
  })
}
