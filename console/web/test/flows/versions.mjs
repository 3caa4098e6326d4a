// Versions are listed and compared in four ways, published, rolled back to and labelled; the URL
// of a comparison opens the same view elsewhere. What users wrote is shown as text.
const yaml = (steps, more = '') => `# kept\nname: Order fulfilment\n${more}steps:\n${steps}`
const one = `  - id: load_order
    name: Load the <script>alert(1)</script> order
    type: http_request
    config: { url: "https://shop.example.com/orders/{{ input.order_id }}" }
  - id: auto_ok
    type: script
    depends_on: [load_order]
    config:
      limit_is_not: here
      script: |
        echo "each order is looked at by a person who is careful" >&2
        echo '{"ok": true}'
  - id: old
    type: webhook
    depends_on: [auto_ok]
    config: { url: "https://hooks.example.com/old", event: order.old, payload: { n: 9007199254740993, f: 1.0 } }
`.replace('      limit_is_not: here\n', '')
const two = one.replaceAll('load_order', 'fetch_order').replace('person who is careful', 'person who is quick')
  .replace(/  - id: old[\s\S]*$/, '  - id: ship\n    type: webhook\n    depends_on: [auto_ok]\n    config: { url: "https://hooks.example.com/ship", event: order.shipped, payload: { n: 9007199254740993, f: 1.0 } }\n')

const source = (text) => ({ source: { format: 'yaml', text } })

export default async function (t) {
  await t.api('POST', '/api/workflows', { slug: 'order-fulfilment', change_summary: 'First version', ...source(yaml(one)) })
  const page = await t.page()
  await page.goto('/workflows/order-fulfilment/versions')
  await page.getByText('There is one version so far').waitFor()
  await t.shot(page, 'versions-one')

  await t.api('PUT', '/api/workflows/order-fulfilment', { change_summary: 'Fetch, be quick, ship', publish: false, ...source(yaml(two, 'input: { type: object, required: [channel] }\n')) })
  await page.reload()
  await page.getByRole('link', { name: 'Compare v1 and v2' }).waitFor()
  await t.axe(page, 'versions')
  await t.narrow(page, 'versions')
  await t.shot(page, 'versions')

  // A label, by keyboard.
  await page.getByRole('row', { name: /First version/ }).getByRole('button', { name: 'Label…' }).focus()
  await page.keyboard.press('Enter')
  await page.keyboard.type('v1.0')
  await page.keyboard.press('Enter')
  await page.getByText('v1 v1.0').first().waitFor()

  await page.getByRole('link', { name: 'Compare v1 and v2' }).click()
  await page.getByText('Added 1 step, removed 1 step, renamed 1 step, modified 1 step, changed settings').waitFor()
  await page.getByText('fetch_order').first().waitFor()
  await t.axe(page, 'compare steps')
  await t.narrow(page, 'compare steps')
  await t.shot(page, 'compare-steps')
  await page.keyboard.press('n')
  await page.keyboard.press('n')
  await page.keyboard.press('n')
  await page.waitForURL(/step=fetch_order/)
  await page.getByRole('tab', { name: 'Graph' }).click()
  await page.getByRole('button', { name: /old.*webhook.*removed/ }).waitFor()
  await t.axe(page, 'compare graph')
  await t.narrow(page, 'compare graph')
  await t.shot(page, 'compare-graph')
  await page.getByRole('button', { name: /auto_ok.*modified/ }).click()
  await page.getByRole('article', { name: 'auto_ok, modified' }).getByText('quick').waitFor()

  // The same view elsewhere.
  const url = page.url()
  t.equal(new URL(url).search, '?view=graph&step=auto_ok', 'the URL of a view')
  const other = await t.page()
  await other.goto(url)
  await other.getByRole('article', { name: 'auto_ok, modified' }).waitFor()
  await other.context().close()

  await page.getByRole('tab', { name: 'Text' }).click()
  await page.locator('.cm-mergeView').getByText('quick').waitFor()
  await t.axe(page, 'compare text')
  await t.shot(page, 'compare-text')
  await page.getByRole('tab', { name: 'Patch' }).click()
  await page.getByLabel('JSON Patch').getByText('9007199254740993').waitFor()
  t.equal(await page.getByLabel('JSON Patch').getByText('1.0', { exact: false }).count() > 0, true, 'the number as it was written')
  await t.axe(page, 'compare patch')
  await t.shot(page, 'compare-patch')
  await page.getByRole('button', { name: /Swap/ }).click()
  await page.waitForURL(/compare\/2\/1/)

  // Publish: what it would break must be accepted.
  await page.goto('/workflows/order-fulfilment/versions')
  await page.getByRole('row', { name: /be quick/ }).getByRole('button', { name: 'Publish…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('channel is now required').waitFor()
  t.equal(await dialog.getByRole('button', { name: 'Publish v2' }).isDisabled(), true, 'a breaking change without a tick')
  await t.axe(page, 'publish')
  await t.shot(page, 'publish', { fullPage: false })
  await dialog.getByLabel('Publish it although this is so').check()

  // Somebody else comes first: nothing happens, and one looks again.
  t.allow(412)
  await t.api('PATCH', '/api/workflows/order-fulfilment/versions/1', { label: 'v1.1' })
  await dialog.getByRole('button', { name: 'Publish v2' }).click()
  await dialog.getByText('Another change came first').waitFor()
  t.equal((await t.api('GET', '/api/workflows/order-fulfilment')).workflow.version, 1, 'the active version')
  await dialog.getByRole('button', { name: 'Look again' }).click()
  await dialog.getByLabel('Publish it although this is so').check()
  await dialog.getByRole('button', { name: 'Publish v2' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('row', { name: /be quick/ }).getByText('Active').waitFor()

  await page.getByRole('row', { name: /First version/ }).getByRole('button', { name: 'Roll back…' }).click()
  await dialog.getByText('Active now').waitFor()
  await dialog.getByLabel('Summary').fill('Too quick')
  await dialog.getByRole('button', { name: 'Roll back' }).click()
  await page.getByRole('row', { name: /Too quick/ }).getByText('Active').waitFor()
  await page.goto('/workflows/order-fulfilment/compare/1/3')
  await page.getByText('Both are the same definition').waitFor()

  // Who may only view sees why nothing can be pressed.
  const viewer = await t.page({ as: await t.keyOf('viewer') })
  await viewer.goto('/workflows/order-fulfilment/versions')
  const button = viewer.getByRole('button', { name: 'Roll back…' }).first()
  await button.focus()
  await viewer.getByRole('tooltip').first().waitFor()
  t.equal(await button.getAttribute('aria-disabled'), 'true', 'a viewer’s button')
  await t.axe(viewer, 'viewer')
  await viewer.goto('/workflows/nobody/versions')
  t.allow(404)
  await viewer.getByRole('alert').first().waitFor()
}
