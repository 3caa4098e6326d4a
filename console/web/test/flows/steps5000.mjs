// A run of 5,000 steps: the page of it, the graph, any step by its name. CPU is printed.
const count = 5000
const definition = {
  name: 'Five thousand steps',
  steps: Array.from({ length: count }, (_, i) => ({ id: `s${i}`, type: 'condition', ...(i >= 50 ? { depends_on: [`s${i - 50}`] } : {}), config: { expression: i === 4321 ? 'int(input.x) > 0' : 'true' } })),
}

export default async function (t) {
  await t.api('POST', '/api/workflows', { slug: 'many', definition })
  const { run_id: id } = await t.api('POST', '/api/workflows/many/run', { input_data: { x: 'no number' } })
  const page = await t.page()
  await page.goto(`/runs/${id}`)
  await page.locator('.run-state').getByText('Failed').waitFor({ timeout: 60_000 })
  t.say(`CPU while the run went: ${(await t.cpu(page)).toFixed(2)} s`)

  const fresh = await t.page()
  await fresh.goto(`/runs/${id}`)
  await fresh.getByRole('rowgroup').getByText('s4321').first().waitFor()
  t.say(`CPU of the page opened afterwards: ${(await t.cpu(fresh)).toFixed(2)} s`)
  await t.axe(fresh, '5,000 steps')
  await t.shot(fresh, 'run-5000', { fullPage: false })
  await fresh.getByLabel('Find a step').fill('s2345')
  await fresh.getByRole('button', { name: 's2345', exact: true }).click()
  await fresh.locator('#step-title').getByText('s2345').waitFor()
  const before = await t.cpu(fresh)
  await fresh.getByRole('tab', { name: 'Graph' }).click()
  await fresh.locator('[data-node]').first().waitFor()
  t.say(`CPU of the graph: ${((await t.cpu(fresh)) - before).toFixed(2)} s, ${await fresh.locator('[data-node]').count()} boxes in the document`)
  await fresh.getByRole('tab', { name: 'Time' }).click()
  await fresh.locator('.gantt-row').first().waitFor()
  await t.shot(fresh, 'run-5000-time', { fullPage: false })
}
