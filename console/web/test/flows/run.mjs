// npm run flows [-- NAME…]: runs the flows one after the other against the built program, and
// ends with 1 at the first that finds something. CHROMIUM names the browser.
import { existsSync, readdirSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { flowOf } from './harness.mjs'

const folder = new URL('.', import.meta.url)
const all = readdirSync(folder).filter((f) => f.endsWith('.mjs') && !['harness.mjs', 'server.mjs', 'run.mjs'].includes(f)).map((f) => f.slice(0, -4)).sort()
const names = process.argv.length > 2 ? process.argv.slice(2) : all
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
if (!existsSync(executablePath)) {
  console.error(`flows: ${executablePath} is not there: apt-get install chromium, or name the browser in CHROMIUM`)
  process.exit(1)
}
const unknown = names.filter((n) => !all.includes(n))
if (unknown.length > 0) {
  console.error(`flows: there is no flow ${unknown.join(', ')}; there are ${all.join(', ')}`)
  process.exit(1)
}

// one runs a flow and returns what is wrong.
async function one(browser, name) {
  const module = await import(new URL(`${name}.mjs`, folder))
  const t = await flowOf(name, browser, module.env)
  try {
    await module.default(t)
    return t
  } catch (e) {
    t.findings.push(e.stack ?? String(e))
    const page = t.contexts.at(-1)?.pages().at(-1)
    if (page) {
      t.findings.push(`at ${page.url()}:\n${(await page.locator('body').innerText().catch(() => '')).slice(0, 2000)}`)
      if (process.env.HEDDLE_SHOTS) await page.screenshot({ path: `${process.env.HEDDLE_SHOTS}/failed-${name}.png` }).catch(() => {})
    }
    return t
  } finally {
    await t.close()
  }
}

const browser = await chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
let failed = false
try {
  for (const name of names) {
    const begun = performance.now()
    const { findings, lines } = await one(browser, name)
    console.log(`${findings.length ? 'FAILED' : 'ok    '} ${name.padEnd(24)} ${((performance.now() - begun) / 1000).toFixed(1)} s${lines.map((l) => '\n         ' + l).join('')}`)
    for (const f of findings) console.error(`  ${f}`)
    if (findings.length > 0) { failed = true; break }
  }
} finally {
  await browser.close()
}
process.exit(failed ? 1 : 0)
