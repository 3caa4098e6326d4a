// The overview: what to do first, and then what is wrong, what is due and how the last day went.
const step = (expression) => [{ id: 'check', type: 'condition', config: { expression } }]

export default async function (t) {
  const page = await t.page()
  await page.goto('/')
  await page.getByRole('heading', { name: 'Nothing runs here yet' }).waitFor()
  await t.axe(page, 'empty overview')
  await t.shot(page, 'overview-empty')
  await page.getByRole('link', { name: 'Choose a template' }).click()
  await page.getByRole('heading', { level: 1, name: 'Templates' }).waitFor()

  await t.api('POST', '/api/workflows', { slug: 'orders', definition: { name: 'Order fulfilment', steps: step('true') } })
  await t.api('POST', '/api/workflows', { slug: 'invoices', definition: { name: 'Invoices', steps: step('input.missing > 1') } })
  await t.api('POST', '/api/workflows/orders/schedules', { cron_expression: '0 2 * * *', timezone: 'Europe/Berlin' })
  for (const slug of ['orders', 'orders', 'invoices']) {
    const { run_id: id } = await t.api('POST', `/api/workflows/${slug}/run`, { input_data: {} })
    await t.run(id, 'completed', 'failed')
  }
  await page.goto('/')
  await page.getByRole('link', { name: 'Failing workflows 1' }).waitFor()
  const failing = page.getByRole('region', { name: 'Failing now' })
  await failing.getByText('1 run failed in 24 hours').waitFor()
  t.equal(await failing.getByRole('listitem').count(), 1, 'workflows that fail')
  await page.getByRole('region', { name: 'Next due' }).getByText('At 02:00 every day, Berlin time').waitFor()
  const table = page.getByRole('table', { name: 'Runs of the last 24 hours' })
  const counts = await table.locator('tbody td').allTextContents()
  t.equal(counts.reduce((sum, n) => sum + Number(n), 0), 3, 'runs that ended')
  t.equal(await page.locator('.hours .bar.failed').count(), 1, 'bars of failed runs')
  await t.axe(page, 'overview')
  await t.narrow(page, 'overview')
  await t.shot(page, 'overview')
  await failing.getByRole('link', { name: /^Failed/ }).click()
  await page.waitForURL(/\/runs\/run_/)
}
