// An author writes a definition with mistakes, is shown where, mends them, changes a step in the
// form, saves, compares, publishes and goes back. A draft survives a reload and another browser,
// two people's changes come together, and what was written is what is stored.
const text = `# Ask payments before you change this
name: Order fulfilment # the shop's
input:
  type: object
  properties:
    order_id: { type: string }
    big: { default: 9007199254740993 }
    small: { default: 1.0 }
steps:
  # reserve first
  - id: reserve
    name: "Reserve <script>alert('x')</script> \\u2028 🧵"
    type: http_request
    config:
      method: POST
      url: "https://stock.example.com/reservations" # theirs
      body: { order: "{{ input.order_id }}", n: 9007199254740993, f: 1.0, e: 1e400 }
  - id: weigh
    type: condition
    depends_on: [reserve]
    config: { expression: "input.order_id != ''" }
  - id: each
    type: loop
    depends_on: [weigh]
    config:
      items: "3"
      steps:
        - id: label
          type: script
          config: { script: "true" }
`
const slug = 'order-fulfilment'
const api = '/api/workflows/' + slug

// paste puts a text in the place of what is selected in the editor.
async function paste(page, value) {
  await page.locator('.cm-content').evaluate((el, value) => {
    const data = new DataTransfer()
    data.setData('text/plain', value)
    el.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
  }, value)
}

async function write(page, value) {
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+a')
  await paste(page, value)
}

const saved = (page) => page.getByText(/Draft saved \d\d:\d\d:\d\d/).waitFor()

export default async function (t) {
  await t.api('POST', '/api/workflows', { slug, source: { format: 'yaml', text } })
  t.equal(await t.api('GET', api + '/versions/1', undefined, { headers: { Accept: 'application/yaml' } }), text, 'the text that was sent')
  const page = await t.page()
  await page.goto(`/workflows/${slug}/edit`)
  await page.getByRole('button', { name: /each.*loop/ }).waitFor()
  await page.getByText('No problems').first().waitFor()
  await t.axe(page, 'editor')
  await t.narrow(page, 'editor')
  await t.shot(page, 'editor')

  // Mistakes are shown at their places: text, graph, list.
  await write(page, text.replace('depends_on: [reserve]', 'dependson: [reserve]').replace('type: script', 'type: scrpt').replace('input.order_id !=', 'input.ordr_id !='))
  await page.getByText("Unknown field 'dependson'").waitFor()
  await page.getByText("Problems (3)").waitFor().catch(async () => { throw new Error(await page.getByRole('region', { name: 'Problems' }).innerText()) })
  await page.locator('.cm-lintRange-error').first().waitFor()
  await page.locator('.dag-node.node-error').first().waitFor()
  await t.axe(page, 'editor with problems')
  await t.shot(page, 'editor-problems')
  // The next problem by key, mended by what is suggested there.
  await page.locator('.cm-content').focus()
  await page.keyboard.press('Control+Home')
  await page.keyboard.press('F8')
  await page.locator('.cm-tooltip-lint').or(page.locator('.cm-diagnostic')).first().waitFor()
  await page.getByRole('region', { name: 'Problems' }).getByRole('button', { name: 'Change to depends_on' }).click()
  await page.getByText('Problems (2)').waitFor()
  await page.getByRole('region', { name: 'Problems' }).getByRole('button', { name: 'Change to script' }).click()
  await page.getByText('Problems (1)').waitFor()
  await saved(page)

  // The draft, mistake and all, is there after a reload and in another browser.
  await page.reload()
  await page.getByText('Problems (1)').waitFor()
  await page.getByRole('region', { name: 'Problems' }).getByRole('button', { name: 'Change to order_id' }).waitFor()
  const second = await t.page()
  await second.goto(`/workflows/${slug}/edit`)
  await second.getByText('Problems (1)').waitFor()
  await second.getByText('Draft on v1').waitFor()

  // Completion: what an expression can read.
  await page.getByRole('region', { name: 'Problems' }).getByRole('button', { name: /ordr_id/ }).click()
  await page.keyboard.press('End')
  for (let n = 0; n < 3; n++) await page.keyboard.press('ArrowLeft')
  await page.keyboard.type(' && input.')
  await page.locator('.cm-tooltip-autocomplete').getByText('order_id').waitFor()
  await page.keyboard.press('Escape')
  await write(page, text)
  await page.getByText('No problems').first().waitFor()
  await saved(page)

  // A change in the form touches its line alone.
  await page.getByRole('button', { name: /reserve · http_request/ }).click()
  await page.getByLabel('url required').fill('https://stock.example.com/v2/reservations')
  await page.getByLabel('url required').press('Enter')
  const wanted = text.replace('.com/reservations"', '.com/v2/reservations"')
  await page.getByLabel('name', { exact: true }).waitFor()
  await saved(page)
  await t.until(page, async () => (await t.api('GET', api + '/draft')).source.text === wanted, 'the draft with the line changed')
  await t.axe(page, 'step form')
  await t.shot(page, 'editor-form')

  // Another browser that began earlier is told, and takes what is newer.
  t.allow(412)
  await write(second, text + '# from the other\n')
  await second.getByText('This draft was saved on another device').waitFor()
  await t.axe(second, 'elsewhere')
  await t.shot(second, 'editor-elsewhere')
  await second.getByRole('button', { name: 'Take the other one' }).click()
  await saved(second)
  t.equal((await t.api('GET', api + '/draft')).source.text, wanted, 'the draft after both')

  // Dry run and test of what is written, not of what is stored.
  await page.getByRole('button', { name: 'Dry run' }).click()
  await page.getByLabel('Input (JSON)').fill('{"order_id": "o-1"}')
  await page.getByLabel('Mocks (JSON, by step)').fill('{"reserve": {"output": {"body": 9007199254740993}}}')
  await page.getByRole('tabpanel').getByRole('button', { name: 'Dry run' }).click()
  await page.getByRole('tabpanel').getByText('Completed').first().waitFor()
  await page.getByRole('tabpanel').getByText('9007199254740993').last().waitFor()
  await t.axe(page, 'dry run')
  await page.getByRole('button', { name: /label.*script/ }).click()
  await page.getByRole('tab', { name: 'Test' }).click()
  await page.getByText('The step is really performed').waitFor()

  // Save and publish: what it means first.
  await page.getByRole('button', { name: 'Save version…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('article', { name: 'reserve, modified' }).waitFor()
  await dialog.getByLabel('Summary').fill('The second reservations')
  await t.axe(page, 'save')
  await t.shot(page, 'save', { fullPage: false })
  await dialog.getByRole('button', { name: 'Save and publish' }).click()
  await page.getByText('v2 is saved and active.').waitFor()
  t.equal(await t.api('GET', api + '/versions/2', undefined, { headers: { Accept: 'application/yaml' } }), wanted, 'the text of v2')

  // Two people: bob saves a version while I change the same step and another one.
  const mine = wanted.replace('v2/reservations', 'v3/reservations').replace('items: "3"', 'items: "5"')
  await write(page, mine)
  await saved(page)
  const theirs = wanted.replace('v2/reservations', 'bob/reservations').replace("order_id != ''", "order_id == 'bob'").replace('# reserve first', '# bob was here')
  const bob = await t.keyOf('editor', 'bob')
  await t.api('PUT', api, { source: { format: 'yaml', text: theirs }, change_summary: 'Mine' }, { as: bob })
  t.allow(409)
  await page.getByRole('button', { name: 'Save version…' }).click()
  await dialog.getByText('bob saved v3 meanwhile').waitFor()
  await dialog.getByRole('group', { name: 'reserve' }).getByText('changed by both').waitFor()
  await t.axe(page, 'merge')
  await t.shot(page, 'merge', { fullPage: false })
  await dialog.getByRole('group', { name: 'reserve' }).getByLabel('Keep mine').check()
  await dialog.getByRole('button', { name: 'Put both together' }).click()
  await dialog.getByText('Save a version').waitFor()
  await dialog.getByRole('article', { name: 'each, modified' }).waitFor()
  await dialog.getByRole('button', { name: 'Save only' }).click()
  await page.getByText('v4 is saved; it is not published.').waitFor()
  t.equal(await t.api('GET', api + '/versions/4', undefined, { headers: { Accept: 'application/yaml' } }), mine.replace("order_id != ''", "order_id == 'bob'"), 'both changes in one text')

  // Compare, publish, go back.
  await page.getByRole('link', { name: 'Versions' }).click()
  await page.getByRole('link', { name: 'Compare v3 and v4' }).click()
  await page.getByRole('article', { name: 'reserve, modified' }).waitFor()
  await page.goBack()
  await page.getByRole('button', { name: 'Publish…' }).click()
  await dialog.getByRole('button', { name: 'Publish v4' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('row', { name: /The second reservations/ }).getByRole('button', { name: 'Roll back…' }).click()
  await dialog.getByRole('button', { name: 'Roll back' }).click()
  await page.getByRole('row', { name: /Rollback to version 2/ }).getByText('Active').waitFor()

  // A viewer reads, and sees why nothing can be changed.
  const viewer = await t.page({ as: await t.keyOf('viewer') })
  await viewer.goto(`/workflows/${slug}/edit?step=reserve`)
  await viewer.getByLabel('url required').waitFor()
  t.equal(await viewer.getByLabel('url required').isDisabled(), true, 'a viewer’s field')
  await t.axe(viewer, 'viewer')
}
