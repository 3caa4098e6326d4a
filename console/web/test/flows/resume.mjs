// A run fails; its workflow is corrected; what a resume would keep and run again, and why, is seen
// before it happens.
const steps = (expression) => [
  { id: 'stock', name: 'Check the stock', type: 'condition', config: { expression: 'true' } },
  { id: 'push', name: 'Push the order', type: 'condition', depends_on: ['stock'], config: { expression } },
  { id: 'after', name: 'Tell the customer', type: 'condition', depends_on: ['push'], config: { expression: 'true' } },
]

export default async function (t) {
  await t.api('POST', '/api/workflows', { slug: 'push', definition: { name: 'Push orders', steps: steps('int(input.quantity) > 0') } })
  const { run_id: id } = await t.api('POST', '/api/workflows/push/run', { input_data: { quantity: 'three' } })
  await t.run(id, 'failed')
  await t.api('PUT', '/api/workflows/push', { definition: { name: 'Push orders', steps: steps('len(string(input.quantity)) > 0') }, change_summary: 'Quantities in words' })

  const page = await t.page()
  await page.goto(`/runs/${id}`)
  await page.getByRole('alert').first().waitFor()
  await page.getByText('v2 is active').waitFor()
  await page.getByRole('button', { name: 'Show the step Push the order' }).click()
  await page.locator('.step-panel .problem').waitFor()
  await t.axe(page, 'failed run')
  await t.narrow(page, 'failed run')
  await t.shot(page, 'run-failed')

  await page.getByRole('button', { name: 'Resume…' }).click()
  await page.getByLabel('On version').selectOption('2')
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('list', { name: 'Kept' }).getByText('stock').waitFor()
  await dialog.getByRole('list', { name: 'Run again' }).getByText('push').waitFor()
  await t.axe(page, 'resume')
  await t.shot(page, 'run-resume')
  await dialog.getByLabel('Reason').fill('The quantity is in words')
  await dialog.getByRole('button', { name: 'Resume', exact: true }).click()
  await page.locator('.run-state').getByText('Completed').waitFor()
  await t.until(page, async () => (await page.locator('.run-facts .version').innerText()).startsWith('v2'), 'the run on version 2')

  await page.getByRole('button', { name: 'Restart…' }).click()
  await page.getByRole('dialog').getByLabel('Reason').fill('Once more')
  await page.getByRole('dialog').getByRole('button', { name: 'Restart' }).click()
  await t.until(page, () => !page.url().includes(id) && page.url().includes('/runs/run_'), 'the new run')
  await page.locator('.run-state').getByText('Completed').waitFor()
}
