// What every flow stands on. A flow is a module whose default export is an async function
// of a Flow; `npm run flows` runs them one after the other. Nothing here sleeps: a flow waits
// for what can be seen (locator.waitFor, expect), and fails after 15 seconds without it.
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Server, key } from './server.mjs'

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
const patience = 15_000 // ms that a flow waits for what should be seen

export class Flow {
  // allowed are answers of the server that a flow brings about on purpose: their status is
  // an error in the browser's console, and no finding.
  #allowed = new Set([401])
  #unreachable = false
  #meters = new WeakMap() // of pages, by which their CPU time is read
  findings = []
  contexts = []
  // lines are figures that the flow prints beside its time.
  lines = []

  constructor(name, browser, server) {
    this.name = name
    this.browser = browser
    this.server = server
    this.key = key
  }

  get base() { return this.server.base }

  // allow says that answers of these statuses are part of the flow.
  allow(...statuses) { for (const s of statuses) this.#allowed.add(s) }
  // unreachable says that the server is killed in this flow.
  unreachable() { this.#unreachable = true }
  // say prints a figure beside the flow's time.
  say(line) { this.lines.push(line) }

  // api calls the server with the admin's key, and returns the answer's JSON. body is sent as
  // it is when it is text. Any status but 2xx is an error, unless it is asked for by want.
  async api(method, path, body, { headers = {}, want, as = this.key } = {}) {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    const response = await fetch(this.base + path, {
      method, body: text, headers: { Authorization: `Bearer ${as}`, ...(text === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    })
    const answer = await response.text()
    if (want !== undefined ? response.status !== want : !response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer}`)
    return answer && response.headers.get('Content-Type')?.includes('json') ? JSON.parse(answer) : answer
  }

  // keyOf makes a key with a role and returns its text.
  async keyOf(role, name = role) { return (await this.api('POST', '/v1/keys', { name, role })).key }

  // page opens a page that is signed in with a key; as: null for one that is not. prefix is
  // where the pages begin, for flows that stand behind a proxy.
  async page({ as = this.key, width = 1280, height = 800, colorScheme = 'light', context: options = {}, base = this.base } = {}) {
    const context = await this.browser.newContext({ baseURL: base, viewport: { width, height }, colorScheme, reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options })
    this.contexts.push(context)
    context.setDefaultTimeout(patience)
    if (as !== null) await context.addCookies([await this.session(as)])
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (e) => console.error(`CSP: ${e.violatedDirective} ${e.blockedURI} ${e.sample}`))
    })
    const page = await context.newPage()
    const meter = await context.newCDPSession(page)
    await meter.send('Performance.enable', { timeDomain: 'threadTicks' })
    this.#meters.set(page, meter)
    this.#watch(page, base)
    return page
  }

  // session signs in with a key and returns the cookie of the session.
  async session(as) {
    const response = await fetch(this.base + '/v1/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ key: as }) })
    const cookie = /^([^=;]+)=([^;]*)/.exec(response.headers.get('Set-Cookie') ?? '')
    if (response.status !== 204 || !cookie) throw new Error(`signing in: ${response.status} ${await response.text()}`)
    return { name: cookie[1], value: cookie[2], domain: '127.0.0.1', path: '/', httpOnly: true, sameSite: 'Strict' }
  }

  #watch(page, base) {
    page.on('console', (m) => {
      if (m.type() !== 'error' && !/Content Security Policy|Trusted ?Type/i.test(m.text())) return
      const status = /the server responded with a status of (\d+)/.exec(m.text())
      if (status && this.#allowed.has(Number(status[1]))) return
      if (this.#unreachable && /net::ERR_/.test(m.text())) return
      this.findings.push(`console: ${m.text()} (${m.location().url})`)
    })
    page.on('pageerror', (e) => this.findings.push(`exception: ${e.stack ?? e}`))
    page.on('request', (r) => {
      if (!r.url().startsWith(base + '/') && !/^(data|blob|about):/.test(r.url())) this.findings.push(`request elsewhere: ${r.url()}`)
    })
  }

  // axe looks for findings of WCAG 2.2 AA in light and dark. It goes through the debugger, so
  // that the page's policy stays as it is.
  async axe(page, where = '') {
    const debug = await page.context().newCDPSession(page)
    const run = async (expression) => {
      const { result, exceptionDetails } = await debug.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
      return result.value
    }
    if (!(await run('typeof window.axe === "object"'))) await run(axeSource + ';0')
    for (const colorScheme of ['dark', 'light']) {
      await page.emulateMedia({ colorScheme })
      const found = await run(`axe.run(document, { runOnly: ${JSON.stringify(rules)}, resultTypes: ['violations'] }).then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target.join(' ') + ' ' + n.failureSummary.replace(/\\s+/g, ' ')).join('; ')))`)
      for (const f of found) this.findings.push(`axe ${where} ${colorScheme} ${new URL(page.url()).pathname}: ${f}`)
    }
    await debug.detach()
  }

  // shot keeps pictures of a page in the folder HEDDLE_SHOTS, light and dark, wide and
  // narrow; without that folder it does nothing.
  async shot(page, name, { fullPage = true } = {}) {
    const folder = process.env.HEDDLE_SHOTS
    if (!folder) return
    mkdirSync(folder, { recursive: true })
    const before = page.viewportSize()
    for (const [width, height] of [[1280, 720], [390, 844]]) {
      await page.setViewportSize({ width, height })
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme })
        await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage })
      }
    }
    await page.emulateMedia({ colorScheme: 'light' })
    if (before) await page.setViewportSize(before)
  }

  // narrow fails when a page must be scrolled sideways at 320 pixels.
  async narrow(page, where = '') {
    const before = page.viewportSize()
    await page.setViewportSize({ width: 320, height: 640 })
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    if (over > 0) this.findings.push(`${where} ${new URL(page.url()).pathname} is ${over} px too wide at 320`)
    if (before) await page.setViewportSize(before)
  }

  // cpu returns the seconds of CPU time that a page's main thread took until now.
  async cpu(page) {
    const { metrics } = await this.#meters.get(page).send('Performance.getMetrics')
    return metrics.find((m) => m.name === 'TaskDuration').value
  }

  // until calls check until it returns something true, each time the page is painted.
  async until(page, check, what) {
    const end = Date.now() + patience
    for (;;) {
      const found = await check()
      if (found) return found
      if (Date.now() > end) throw new Error(`not seen: ${what}`)
      await page.evaluate(() => new Promise((r) => requestAnimationFrame(r)))
    }
  }

  // equal is a finding unless both are the same.
  equal(got, want, what) {
    if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${what}: ${JSON.stringify(got)} instead of ${JSON.stringify(want)}`)
  }

  // started waits until a run has one of the states, by the API.
  async run(id, ...states) {
    const end = Date.now() + patience
    for (;;) {
      const { run } = await this.api('GET', `/api/workflows/runs/${id}?view=summary`)
      if (states.includes(run.status)) return run
      if (Date.now() > end) throw new Error(`run ${id} is ${run.status}, not ${states}`)
    }
  }

  async close() {
    for (const c of this.contexts) await c.close()
    await this.server.close()
  }
}

// flowOf starts a server for a flow; env sets or, with undefined, unsets its settings.
export async function flowOf(name, browser, env) {
  const server = new Server(env)
  try {
    await server.start()
  } catch (e) {
    await server.close()
    throw e
  }
  return new Flow(name, browser, server)
}
