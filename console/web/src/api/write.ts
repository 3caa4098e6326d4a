import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRef } from 'react'
import { call, Failure, type Answer } from './client'

export interface Write {
  path: string
  method?: string // POST unless it is given
  body?: unknown // a text goes as it is
  etag?: string | undefined // for If-Match
}

// useWrite sends changes. Its Idempotency-Key is made with the form, so that a double click and
// a repeat after no answer change once; a refusal, and success, end it. Queries whose key begins
// with one of refresh are read again.
export function useWrite<T = unknown>(refresh: string[], done?: (answer: Answer<T>) => void) {
  const queries = useQueryClient()
  const key = useRef(crypto.randomUUID())
  return useMutation<Answer<T>, unknown, Write>({
    mutationFn: (w) => call<T>(w.path, {
      method: w.method ?? 'POST', body: w.body, headers: { 'Idempotency-Key': key.current, ...(w.etag ? { 'If-Match': w.etag } : {}) },
    }),
    onSuccess: (answer) => {
      key.current = crypto.randomUUID()
      for (const name of refresh) void queries.invalidateQueries({ queryKey: [name] })
      done?.(answer)
    },
    onError: (e) => {
      if (e instanceof Failure && e.status >= 400 && e.status < 500) key.current = crypto.randomUUID()
    },
  })
}
