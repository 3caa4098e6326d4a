// An EventSource that is not ours, the npm package eventsource, reads the event
// streams of the real program: $HEDDLE_BIN, which .ci/eventsource sets.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { EventSource } from 'eventsource'

const key = 'a-key-for-an-independent-client'
const patience = 30_000 // milliseconds that anything may take

// What each dialect can say. An event that is missing here would not be heard,
// and the comparison with the whole stream would tell.
const words = {
  workflows: ['run_started', 'step_started', 'step_completed', 'step_failed', 'step_retrying', 'step_skipped', 'step_waiting',
    'run_paused', 'run_resumed', 'signal_received', 'run_completed', 'run_failed', 'run_cancelled'],
  runs: ['status_changed', 'node_started', 'node_completed', 'node_failed', 'input_requested', 'input_resolved',
    'signal_received', 'completed', 'failed', 'cancelled'],
}
const stream = {
  workflows: (run) => `/api/workflows/runs/${run}/stream`,
  runs: (run) => `/v1/runs/${run}/events`,
}

let dir, server, base

async function start(listen) {
  server = spawn(process.env.HEDDLE_BIN, ['serve'], {
    cwd: dir, stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, HEDDLE_LISTEN: listen, HEDDLE_BOOTSTRAP_KEY: key, HEDDLE_LOG_LEVEL: 'error' },
  })
  for await (const line of createInterface({ input: server.stdout })) {
    const [word, address] = line.trim().split(/\s+/)
    if (word === 'serving') return address
  }
  throw new Error('the server ended before it served')
}

async function stop() {
  const ended = new Promise((done) => server.once('exit', done))
  server.kill('SIGTERM')
  await ended
}

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heddle-eventsource-'))
  base = await start('127.0.0.1:0')
})
after(async () => {
  await stop()
  await rm(dir, { recursive: true })
})

async function call(method, path, body) {
  const answer = await fetch(base + path, {
    method, headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  const text = await answer.text()
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`)
  return text === '' ? null : JSON.parse(text)
}

async function run(steps) {
  const { id } = await call('POST', '/api/workflows', { definition: { name: 'Streamed', steps } })
  return (await call('POST', `/api/workflows/${id}/run`, {})).run_id
}

// The same stream as text, cut into frames by a few lines of code: what the
// source has to have seen.
async function whole(path) {
  const answer = await fetch(base + path, { headers: { authorization: `Bearer ${key}` } })
  return (await answer.text()).split('\n\n').filter((f) => f.startsWith('id:')).map((f) => {
    const field = Object.fromEntries(f.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
    return { id: field.id, event: field.event, data: field.data }
  })
}

// A source whose connections are cut after the bytes that cut gives (undefined:
// never), and which waits 20 ms before it comes back instead of 3 s.
function listen(path, names, cut = () => undefined) {
  const seen = []
  const asked = [] // Last-Event-ID and status of each connection
  const source = new EventSource(base + path, {
    fetch: async (url, init) => {
      const last = new Headers(init.headers).get('last-event-id')
      const answer = await fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${key}` } })
      asked.push({ last, status: answer.status })
      if (answer.status !== 200) return answer
      let left = cut()
      const through = new TransformStream({
        start: (c) => c.enqueue(new TextEncoder().encode('retry: 20\n\n')),
        transform(chunk, c) {
          if (left === undefined || chunk.length <= left) {
            c.enqueue(chunk)
            if (left !== undefined) left -= chunk.length
            return
          }
          c.enqueue(chunk.slice(0, left))
          c.terminate()
        },
      })
      return Object.defineProperties(new Response(answer.body.pipeThrough(through), { status: 200, headers: answer.headers }),
        { url: { value: url.toString() } })
    },
  })
  for (const name of names) {
    source.addEventListener(name, (e) => seen.push({ id: e.lastEventId, event: e.type, data: e.data }))
  }
  return { source, seen, asked }
}

async function until(what, holds) {
  const deadline = Date.now() + patience
  while (!holds()) {
    assert.ok(Date.now() < deadline, `not within ${patience} ms: ${what}`)
    await new Promise((done) => setTimeout(done, 5))
  }
}

const loop = [{
  id: 'each', type: 'loop',
  config: { items: '40', steps: [{ id: 'even', type: 'condition', config: { expression: 'index % 2 == 0' } }] },
}]
const waits = [{ id: 'go', type: 'wait', config: { signal: { name: 'go' } } }]

for (const dialect of ['workflows', 'runs']) {
  test(`${dialect}: a finished run is told once, and 204 ends it`, { timeout: patience }, async () => {
    const path = stream[dialect](await run(loop))
    const { source, seen, asked } = listen(path, words[dialect])
    await until('the source is closed', () => source.readyState === EventSource.CLOSED)
    assert.deepEqual(seen, await whole(path))
    const last = seen.at(-1)
    assert.match(last.event, /^(run_)?completed$/)
    assert.deepEqual(asked.at(-1), { last: last.id, status: 204 })
  })

  test(`${dialect}: cut at any byte, every frame comes once`, { timeout: patience }, async () => {
    const path = stream[dialect](await run(loop))
    let n = 0
    const { source, seen, asked } = listen(path, words[dialect], () => 200 + ((n++ * 197) % 1500))
    await until('the source is closed', () => source.readyState === EventSource.CLOSED)
    assert.deepEqual(seen, await whole(path))
    assert.ok(asked.length > 10, `only ${asked.length} connections were made`)
  })

  test(`${dialect}: a restart of the server is no gap`, { timeout: patience }, async () => {
    const id = await run(waits)
    const path = stream[dialect](id)
    const { source, seen } = listen(path, words[dialect])
    await until('the wait is told', () => seen.some((f) => /step_waiting|input_requested/.test(f.event)))
    await stop()
    await start(new URL(base).host)
    await call('POST', `/v1/runs/${id}/signals/go`, { request_id: 'one', payload: { ok: true } })
    await until('the source is closed', () => source.readyState === EventSource.CLOSED)
    assert.deepEqual(seen, await whole(path))
  })
}
