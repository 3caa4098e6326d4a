// A workflow's page: run it by keyboard with an input whose numbers stay exact, see how it
// goes, change its tags, delete it.
const definition = {
  name: 'Order fulfilment',
  input: {
    type: 'object', required: ['order_id', 'amount'],
    properties: {
      order_id: { type: 'string', minLength: 1, maxLength: 40, description: 'As the shop numbers it.', examples: ['A-1007'] },
      amount: { type: 'number', exclusiveMinimum: 0, description: 'In euros.' },
      express: { type: 'boolean', default: false },
      channel: { enum: ['web', 'phone'], default: 'web' },
      items: { type: 'array', items: { type: 'object', required: ['sku'], properties: { sku: { type: 'string', maxLength: 20 }, count: { type: 'integer', minimum: 1 } } } },
      note: { type: ['string', 'null'], description: 'What the customer wrote.' },
    },
  },
  steps: [
    { id: 'check', name: 'Check the order', type: 'condition', config: { expression: 'input.amount > 10' } },
    { id: 'each', name: 'Each item', type: 'loop', depends_on: ['check'], config: { items: 'input.items ?? []', as: 'item', steps: [{ id: 'known', type: 'condition', config: { expression: 'item.sku != ""' } }] } },
  ],
  output: { amount: '{{ input.amount }}', note: '{{ input.note ?? "" }}' },
}

export default async function (t) {
  t.allow(422)
  await t.api('POST', '/api/workflows', { slug: 'order-fulfilment', tags: ['shop'], definition })
  const page = await t.page()
  await page.goto('/workflows/order-fulfilment')
  await page.getByRole('heading', { level: 1, name: 'Order fulfilment' }).waitFor()
  await page.getByText('It has not run yet.').waitFor()
  await t.axe(page, 'workflow without runs')
  await t.narrow(page, 'workflow')
  await t.shot(page, 'workflow-empty')

  // What is missing is said at the fields, and the first of them has the focus.
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Run Order fulfilment' })
  await dialog.getByLabel('order_id').fill('A-1007')
  await dialog.getByRole('button', { name: 'Start run' }).click()
  await dialog.getByText('This field is required').waitFor()
  t.equal(await page.evaluate(() => document.activeElement?.getAttribute('inputmode')), 'decimal', 'the focus')
  await t.axe(page, 'run dialog')
  await t.narrow(page, 'run dialog')
  await t.shot(page, 'workflow-run', { fullPage: false })

  await dialog.getByLabel('amount').fill('9007199254740993')
  await dialog.getByLabel('null').check()
  await dialog.getByRole('button', { name: 'Add to items' }).click()
  await dialog.getByLabel('sku').fill('<script>\u2028')
  await dialog.getByRole('button', { name: 'Dry run' }).click()
  await dialog.getByText('It would end as').waitFor()
  await t.axe(page, 'dry run')
  await t.shot(page, 'workflow-dry-run', { fullPage: false })
  // A double click starts one run.
  await dialog.getByRole('button', { name: 'Start run' }).dblclick()
  await page.waitForURL(/\/runs\/run_/)
  const id = new URL(page.url()).pathname.split('/').pop()
  await t.run(id, 'completed')
  const text = await (await fetch(`${t.base}/api/workflows/runs/${id}`, { headers: { Authorization: `Bearer ${t.key}` } })).text()
  for (const exact of ['"amount":9007199254740993', '"note":null']) if (!text.includes(exact)) throw new Error(`${exact} is not in ${text}`)
  t.equal((await t.api('GET', '/api/workflows/order-fulfilment/runs')).runs.length, 1, 'runs')

  // The last input is there again, as it was.
  await page.goto('/workflows/order-fulfilment?run=1')
  await dialog.getByRole('button', { name: 'Use the last input' }).click()
  await t.until(page, async () => (await dialog.getByLabel('amount').inputValue()) === '9007199254740993', 'the last input')
  await dialog.getByRole('button', { name: 'JSON' }).click()
  await dialog.getByLabel('Input, JSON').press('Control+Enter')
  await page.waitForURL(/\/runs\/run_/)
  await t.run(new URL(page.url()).pathname.split('/').pop(), 'completed')
  await page.goto('/workflows/order-fulfilment')
  await page.getByRole('link', { name: /^Completed/ }).nth(1).waitFor()
  await t.axe(page, 'workflow')
  await t.shot(page, 'workflow')

  await page.getByRole('link', { name: 'Settings' }).click()
  await page.getByLabel('Tags').fill('shop, nightly')
  await t.axe(page, 'settings')
  await t.narrow(page, 'settings')
  await t.shot(page, 'workflow-settings')
  await page.getByRole('button', { name: 'Save the tags' }).click()
  await page.getByRole('link', { name: 'nightly' }).waitFor()
  await page.getByRole('button', { name: 'Make it paused' }).click()
  await page.getByRole('button', { name: 'Make it active' }).waitFor()
  t.equal((await t.api('GET', '/api/workflows/order-fulfilment')).workflow.tags, ['shop', 'nightly'], 'tags')

  await page.getByRole('button', { name: 'Delete workflow' }).click()
  const deleting = page.getByRole('dialog', { name: 'Delete Order fulfilment?' })
  await deleting.getByText('No run is open.').waitFor()
  await deleting.getByRole('textbox').fill('order-fulfilment')
  await t.axe(page, 'delete')
  await deleting.getByRole('button', { name: 'Delete workflow' }).click()
  await page.waitForURL(/\/workflows$/)
  await t.api('GET', '/api/workflows/order-fulfilment', undefined, { want: 404 })
}
