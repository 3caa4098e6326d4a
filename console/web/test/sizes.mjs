// node test/sizes.mjs DIST: how large the build is, compressed, against its budget. It fails where
// a part is more than 5 % over.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const folder = process.argv[2]
const size = (name) => gzipSync(readFileSync(join(folder, name)), { level: 9 }).length
const page = readFileSync(join(folder, 'index.html'), 'utf8')
const entry = [...page.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.(?:js|css))"/g)].map((m) => m[1])
const all = readdirSync(join(folder, 'assets')).map((f) => 'assets/' + f).filter((f) => /\.(js|css)$/.test(f))
const sum = (names) => names.reduce((n, f) => n + size(f), 0)
const budgets = [['the entry', entry, 130_000], ['all of it', all, 500_000]]
let over = false
for (const [what, files, budget] of budgets) {
  const bytes = sum(files)
  console.log(`${what}: ${(bytes / 1000).toFixed(1)} kB of ${budget / 1000} kB, ${files.length} files`)
  if (bytes > budget * 1.05) { console.error(`console: ${what} is more than 5 % over its budget`); over = true }
}
if (entry.length < 2) { console.error('console: the page names no script and style'); over = true }
process.exit(over ? 1 : 0)
