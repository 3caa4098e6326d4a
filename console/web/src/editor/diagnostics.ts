import { useEffect, useRef, useState } from 'react'
import { call } from '../api/client'
import type { Source } from '../api/versions'
import type { Diagnostic } from '../yaml/place'

export interface Found { diagnostics: Diagnostic[]; of: string; error: unknown }

const quiet = 300 // ms after the last key

// useDiagnostics is what the server says of a text. One request is in flight; an answer to a text
// that has changed since is of that text, which the caller sees by `of`.
export function useDiagnostics(text: string, format: Source['format']): Found {
  const [found, setFound] = useState<Found>({ diagnostics: [], of: '', error: null })
  const want = useRef('')
  const busy = useRef(false)
  useEffect(() => {
    let live = true
    want.current = text
    const ask = async () => {
      if (busy.current) return
      busy.current = true
      const of = want.current
      try {
        const { data } = await call<{ diagnostics: Diagnostic[] }>('/api/workflows/validate', { method: 'POST', body: { source: { format, text: of } } })
        if (want.current === of) setFound({ diagnostics: data.diagnostics, of, error: null })
      } catch (error) {
        if (want.current === of) setFound({ diagnostics: [], of, error })
      } finally {
        busy.current = false
        if (live && want.current !== of) void ask()
      }
    }
    const timer = setTimeout(() => void ask(), quiet)
    return () => { live = false; clearTimeout(timer) }
  }, [text, format])
  return found
}
