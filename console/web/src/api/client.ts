// The only place that calls the server. Requests carry the session's cookie, writes an
// Idempotency-Key where the caller has one.
import { base } from '../routes'
import { parse, type Value } from './lossless'

// Failure is an answer that is none of 2xx and 304, or no answer at all (status 0).
export class Failure extends Error {
  readonly status: number
  readonly code: string
  readonly requestId: string
  readonly retryAfter: number // seconds; 0: the server said nothing
  readonly body: Record<string, unknown>
  constructor(status: number, code: string, message: string, requestId: string, retryAfter: number, body: Record<string, unknown>) {
    super(message)
    this.status = status
    this.code = code
    this.requestId = requestId
    this.retryAfter = retryAfter
    this.body = body
  }
}

export interface Answer<T> { data: T; etag: string; date: number; text: string }

export interface Options {
  method?: string
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
}

// skew is the server's clock minus the browser's, in milliseconds, by the last answer.
export let skew = 0

// signedOut is told of each answer that the session has ended.
export const signedOut = new Set<() => void>()

// call sends a request and reads the JSON that comes back; of other kinds the answer has the
// text alone. Errors are Failures; an aborted
// request is the DOMException of fetch.
export async function call<T>(path: string, options: Options = {}): Promise<Answer<T>> {
  const headers: Record<string, string> = { Accept: 'application/json', ...options.headers }
  const init: RequestInit = { method: options.method ?? 'GET', headers, credentials: 'same-origin', cache: 'no-store' }
  if (options.signal) init.signal = options.signal
  if (options.body !== undefined) {
    headers['Content-Type'] = 'application/json'
    init.body = typeof options.body === 'string' ? options.body : JSON.stringify(options.body)
  }
  let response: Response
  try {
    response = await fetch(base + path, init)
  } catch (e) {
    if (options.signal?.aborted) throw e
    throw new Failure(0, 'unreachable', 'The server cannot be reached.', '', 0, {})
  }
  const text = await response.text()
  const date = Date.parse(response.headers.get('Date') ?? '')
  if (!Number.isNaN(date)) skew = date - Date.now()
  if (response.status === 401 && path !== '/v1/session') for (const f of signedOut) f()
  if (!response.ok) throw failure(response, text)
  const json = text !== '' && (response.headers.get('Content-Type') ?? '').includes('json')
  return { data: (json ? JSON.parse(text) : undefined) as T, etag: response.headers.get('ETag') ?? '', date, text }
}

// values is call for answers that hold what users wrote: numbers keep their text.
export async function values(path: string, options: Options = {}): Promise<Value> {
  const answer = await call<unknown>(path, options)
  return parse(answer.text)
}

function failure(response: Response, text: string): Failure {
  let body: Record<string, unknown> = {}
  try {
    body = JSON.parse(text) as Record<string, unknown>
  } catch {
    // a proxy answered, not the server
  }
  const error = (body['error'] ?? {}) as { code?: string; message?: string; request_id?: string }
  return new Failure(response.status, error.code ?? 'http_' + response.status, error.message ?? `The answer was ${response.status}.`,
    error.request_id ?? response.headers.get('X-Request-Id') ?? '', Number(response.headers.get('Retry-After') ?? 0) || 0, body)
}
