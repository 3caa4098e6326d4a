// A loop of a thousand items, of which some failed: any of them is found in three actions, and the
// failed ones are run again.
const definition = {
  name: 'Import the catalogue',
  steps: [
    { id: 'each', name: 'Each product', type: 'loop', config: { items: 'input.items', concurrency: 20, tolerate_failures: '10%', steps: [{ id: 'parse', name: 'Parse', type: 'condition', config: { expression: 'int(item) >= 0' } }] } },
    { id: 'report', name: 'Report', type: 'condition', depends_on: ['each'], config: { expression: 'true' } },
  ],
}

export default async function (t) {
  await t.api('POST', '/api/workflows', { slug: 'catalogue', definition })
  const items = Array.from({ length: 1000 }, (_, i) => (i % 100 === 42 ? 'no number' : i))
  const { run_id: id } = await t.api('POST', '/api/workflows/catalogue/run', { input_data: { items } })
  const page = await t.page()
  await page.goto(`/runs/${id}`)
  await page.getByRole('button', { name: /Each product/ }).getByText('1000/1000').waitFor()
  t.say(`CPU of the page: ${(await t.cpu(page)).toFixed(2)} s`)

  await page.getByRole('button', { name: /Each product/ }).click() // 1: the loop, whose failed ones are shown
  await page.getByRole('button', { name: 'each[642]' }).click() // 2: one of them
  await page.getByRole('button', { name: 'Parse' }).click() // 3: its step
  await page.locator('.step-panel .problem').waitFor()
  await page.getByRole('button', { name: '← Back to the loop' }).click()
  await page.getByRole('region', { name: 'Iterations' }).waitFor()
  await t.axe(page, 'iterations')
  await t.narrow(page, 'iterations')
  await t.shot(page, 'run-loop')
  await t.run(id, 'completed', 'failed')
}
