// What users wrote passes through the editor, a version and a comparison as it is: line ends, numbers
// that no float holds, texts that break parsers and pages, and long ones.
const naughty = ['<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '"><svg onload=alert(1)>', 'a\u2028b\u2029c', '\u202etxt.exe', '__proto__', 'null', 'NaN', '1.0', 'İstanbul', '田中さん 🧵', "'; DROP TABLE runs; --", '%s%n', '\u200b', 'e\u0301']
const long = 'long text '.repeat(20_000)
const lines = ['# first', 'name: Line ends # kept', 'steps:', '  - id: first', '    name: was # and this', '    type: script', '    config:', '      script: |', '        echo one', '        echo two', '']
const texts = {
  'line-ends': { format: 'yaml', text: lines.join('\r\n') },
  values: {
    format: 'json', text: `{
  "name": "Values", "steps": [
    {"id": "first", "name": "was", "type": "script", "config": {"script": "true"}},
    {"id": "then", "type": "webhook", "depends_on": ["first"], "config": {"url": "https://hooks.example.com/x", "event": "e", "payload": {
      "n": 9007199254740993, "f": 1.0, "e": 1e400, "texts": ${JSON.stringify(naughty)},
      "long": ${JSON.stringify(long)}}}}
  ]
}
`,
  },
}

export default async function (t) {
  for (const [slug, source] of Object.entries(texts)) {
    const api = '/api/workflows/' + slug
    await t.api('POST', '/api/workflows', { slug, source })
    const page = await t.page()
    await page.goto(`/workflows/${slug}/edit?step=first`)
    await page.getByLabel('name', { exact: true }).fill('now')
    await page.getByLabel('name', { exact: true }).press('Enter')
    await page.getByText(/Draft saved \d\d:\d\d:\d\d/).waitFor()
    const wanted = source.text.replace(/was/, 'now')
    t.equal((await t.api('GET', api + '/draft')).source.text === wanted, true, `${slug}: the draft is the text with one word changed`)
    await page.getByRole('button', { name: 'Save version…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Save only' }).click()
    await page.getByText('v2 is saved; it is not published.').waitFor()
    t.equal((await t.api('GET', api + '/versions/2')).source.text === wanted, true, `${slug}: the version is that text`)

    await page.goto(`/workflows/${slug}/compare/1/2`)
    await page.getByRole('article', { name: 'first, modified' }).waitFor()
    t.equal(await page.getByRole('article').count(), 1, `${slug}: changes`)
    await page.goto(`/workflows/${slug}/compare/1/2?view=text`)
    await page.locator('.cm-mergeView').getByText('now').first().waitFor()
    // CodeMirror puts images of its own beside characters that are not seen.
    t.equal(await page.locator('main script, main img:not(.cm-widgetBuffer), main [onload]').count(), 0, `${slug}: elements that users wrote`)
    await page.context().close()
  }
}
