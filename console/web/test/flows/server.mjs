// The built program, as one server of a flow: on a free port, with a database in a
// temporary folder. It can be killed and started again on its port and database.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const program = resolve(process.env.HEDDLE_BIN ?? fileURLToPath(new URL('../../../../bin/heddle', import.meta.url)))

export const key = 'a-key-of-the-flows-of-the-console'

export class Server {
  #folder = mkdtempSync(join(tmpdir(), 'heddle-flow-'))
  #process = null
  #extra
  port = 0
  // What it wrote to standard output and error since its last start.
  output = ''

  constructor(env = {}) { this.#extra = env }

  get base() { return `http://127.0.0.1:${this.port}` }

  // start returns once requests are answered.
  async start() {
    if (!existsSync(program)) throw new Error(`${program} is not there: build it (make build), or name it in HEDDLE_BIN`)
    this.output = ''
    const env = {
      PATH: process.env.PATH, HOME: this.#folder, HEDDLE_LISTEN: `127.0.0.1:${this.port}`, HEDDLE_DATABASE_URL: `sqlite://${join(this.#folder, 'heddle.db')}`,
      HEDDLE_BOOTSTRAP_KEY: key, ...this.#extra,
    }
    for (const name of Object.keys(env)) if (env[name] === undefined) delete env[name]
    const child = spawn(program, ['serve'], { env, cwd: this.#folder, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = child
    await new Promise((ready, failed) => {
      const read = (text) => {
        this.output += text
        const found = /^ {2}serving +http:\/\/127\.0\.0\.1:(\d+)$/m.exec(this.output)
        if (found) { this.port = Number(found[1]); ready() }
      }
      child.stdout.setEncoding('utf8').on('data', read)
      child.stderr.setEncoding('utf8').on('data', read)
      child.on('error', failed)
      child.on('exit', (code, signal) => failed(new Error(`the server ended (${code ?? signal}):\n${this.output}`)))
    })
  }

  // end stops the process and returns when it is gone. SIGKILL is a crash; SIGTERM a stop.
  async end(signal = 'SIGKILL') {
    const child = this.#process
    this.#process = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((r) => child.once('exit', r))
    child.kill(signal)
    await gone
  }

  async close() {
    await this.end()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
