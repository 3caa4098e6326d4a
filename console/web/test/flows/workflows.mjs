// The list of workflows with how each goes; filters in the URL; changes of many; a workflow made
// of a text, of another product's file, of an export. What a viewer may not do has its reason.
const condition = (expression) => ({ id: 'check', type: 'condition', config: { expression } })

async function seed(t) {
  const names = ['Order fulfilment', 'Nightly export', 'Release train', 'Customer sync', 'Invoice reminders']
  for (const [i, name] of names.entries()) {
    const slug = name.toLowerCase().replace(' ', '-')
    await t.api('POST', '/api/workflows', { slug, tags: i % 2 ? ['nightly', 'data'] : ['shop'], definition: { name, steps: [condition(i === 1 ? '1 / 0 > input.n' : 'true')] } })
    for (let n = 0; n < 6; n++) await t.api('POST', `/api/workflows/${slug}/run`, { input_data: { n } })
  }
  await t.api('PUT', '/api/workflows/release-train', { publish: false, definition: { name: 'Release train', steps: [condition('false')] } })
  await t.api('POST', '/api/workflows/nightly-export/schedules', { cron_expression: '0 2 * * *', timezone: 'Europe/Berlin' })
  await t.api('PUT', '/api/workflows/customer-sync/draft', { source: { format: 'yaml', text: 'name: Customer sync\n' }, base_version: 1 })
  const end = Date.now() + 15_000
  while ((await t.api('GET', '/api/workflows')).workflows.some((w) => w.open_runs > 0)) if (Date.now() > end) throw new Error('runs are open')
}

export default async function (t) {
  t.allow(422, 409, 403)
  await seed(t)
  const page = await t.page()
  await page.goto('/workflows')
  await page.getByRole('link', { name: 'Order fulfilment' }).waitFor()
  await t.axe(page, 'list')
  await t.narrow(page, 'list')
  await t.shot(page, 'workflows')
  await page.getByLabel('Health').selectOption('failing')
  await t.until(page, async () => (await page.getByRole('row').count()) === 2, 'the failing one')
  t.equal(new URL(page.url()).search, '?health=failing', 'the URL')
  await page.goto('/workflows?tag=nightly&order=name')
  await t.until(page, async () => JSON.stringify(await page.locator('tbody th > a').allTextContents()) === JSON.stringify(['Customer sync', 'Nightly export']), 'those with a tag, by name')

  // Two of them are paused together: what it does is said before.
  await page.getByLabel('Select all of this page').check()
  await t.shot(page, 'workflows-selected')
  await page.getByRole('button', { name: 'Status…' }).click()
  await page.getByRole('button', { name: 'See what it does' }).click()
  await page.getByText('2 of 2 would change.').waitFor()
  await t.axe(page, 'bulk')
  await t.shot(page, 'workflows-bulk', { fullPage: false })
  await page.getByRole('button', { name: 'Change 2 workflows' }).click()
  await page.getByText('2 changed.').waitFor()
  await page.getByRole('button', { name: 'Close' }).last().click()
  await t.until(page, async () => (await page.getByRole('cell', { name: 'Paused' }).count()) === 2, 'both paused')

  // Another product's file is named as such; a text with mistakes is refused with their places.
  await page.getByRole('button', { name: 'New', exact: true }).click()
  const text = page.getByLabel('Definition, YAML or JSON')
  await text.fill('on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n')
  await page.getByRole('button', { name: 'Check' }).click()
  await page.getByText(/GitHub Actions/).first().waitFor()
  await t.axe(page, 'a foreign file')
  await t.narrow(page, 'new')
  await t.shot(page, 'workflow-new')
  await text.fill('# Kept.\nname: Mine\nsteps:\n  - { id: a, type: condition, config: { expression: "true" }, dependson: [] }\n')
  await page.getByRole('button', { name: 'Create workflow' }).click()
  await page.getByText(/Did you mean 'depends_on'/).waitFor()
  await text.fill('# Kept.\nname: Mine\nsteps:\n  - { id: a, type: condition, config: { expression: "true" } }\n')
  await page.getByLabel('Slug').fill('mine')
  await page.getByRole('button', { name: 'Create workflow' }).click()
  await page.waitForURL(/\/workflows\/mine$/)
  const kept = await (await fetch(`${t.base}/api/workflows/mine/versions/1`, { headers: { Authorization: `Bearer ${t.key}`, Accept: 'application/yaml' } })).text()
  if (!kept.startsWith('# Kept.')) throw new Error(`the text is not kept: ${kept}`)

  const line = await (await fetch(`${t.base}/api/workflows/export?id=mine`, { headers: { Authorization: `Bearer ${t.key}` } })).text()
  await page.goto('/workflows/new')
  await text.fill(line)
  await page.getByText('This is an export of 1 workflow').waitFor()
  await page.getByLabel('Where a slug is taken').selectOption('rename')
  await page.getByRole('button', { name: 'Import', exact: true }).click()
  await page.getByRole('link', { name: 'mine-2' }).waitFor()
  await t.axe(page, 'imported')

  // A viewer sees the same, and why each change is not theirs.
  const viewer = await t.page({ as: await t.keyOf('viewer') })
  await viewer.goto('/workflows/mine')
  const run = viewer.getByRole('button', { name: 'Run', exact: true })
  await run.click({ force: true })
  t.equal([await run.getAttribute('aria-disabled'), await viewer.getByRole('tooltip').filter({ hasText: 'execute' }).count(), await viewer.getByRole('dialog').count()], ['true', 1, 0], 'the button of a viewer')
  await t.axe(viewer, 'viewer')
  await viewer.goto('/workflows/mine/settings')
  await viewer.getByRole('button', { name: 'Delete workflow' }).click({ force: true })
  t.equal(await viewer.getByRole('dialog').count(), 0, 'dialogs of a viewer')
  await t.axe(viewer, 'settings of a viewer')
  await t.shot(viewer, 'workflow-viewer')
}
