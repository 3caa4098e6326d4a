// A run that waits for a person: followed live, answered in place, its output read. Numbers and
// texts that users wrote are shown as they wrote them.
const name = 'Order fulfilment'
const evil = '<script>document.title="x"</script><img src=x onerror=alert(1)>'
const definition = {
  name,
  steps: [
    { id: 'load_order', name: 'Load order', type: 'condition', config: { expression: 'true' } },
    { id: 'large', name: 'Is it large?', type: 'condition', depends_on: ['load_order'], config: { expression: 'input.total > 100' } },
    { id: 'approval', name: 'Approval', type: 'wait', depends_on: ['large'], config: { signal: { name: 'approved', prompt: `Ship order 4711? ${evil}`, schema: { type: 'object', properties: { approved: { type: 'boolean' } }, required: ['approved'] } } } },
    { id: 'ship', name: 'Ship', type: 'condition', depends_on: ['approval'], config: { expression: 'steps.approval.output.payload.approved' } },
    { id: 'invoice', name: 'Send the invoice', type: 'condition', depends_on: ['ship'], config: { expression: 'true' } },
  ],
}

export default async function (t) {
  await t.api('POST', '/api/workflows', { slug: 'order-fulfilment', definition })
  const { run_id: id } = await t.api('POST', '/api/workflows/order-fulfilment/run', `{"input_data":{"total":9007199254740993,"rate":1.0,"note":${JSON.stringify(evil)}},"labels":{"customer":"ACME"}}`)
  await t.run(id, 'waiting')

  const page = await t.page()
  await page.goto('/runs')
  await page.getByRole('link', { name }).click()
  await page.getByRole('heading', { level: 1, name }).waitFor()
  await page.getByRole('heading', { name: 'Ship order 4711?' }).waitFor()
  await page.getByRole('button', { name: /Load order/ }).waitFor()
  t.equal(await page.locator('script:not([src])').count() + await page.locator('img').count(), 0, 'elements that a user made')
  await t.axe(page, 'run waits')
  await t.narrow(page, 'run waits')
  await t.shot(page, 'run-waiting')

  await page.getByRole('button', { name: /Is it large/ }).click()
  await page.getByRole('heading', { name: 'Is it large?' }).waitFor()
  await page.locator('.step-panel .value').first().getByText('result').waitFor()
  await t.axe(page, 'step panel')
  await t.shot(page, 'run-step')

  await page.getByRole('button', { name: 'Approve' }).click()
  await page.locator('.run-state').getByText('Completed').waitFor()
  await page.getByRole('tab', { name: 'Input and output' }).click()
  await page.getByText('9007199254740993').first().waitFor()
  await page.locator('.value').getByText('1.0', { exact: true }).waitFor()
  await page.locator('.value').getByText(JSON.stringify(evil), { exact: true }).waitFor()
  await t.axe(page, 'run data')
  for (const [tab, mark] of [['List', '.steps th:has-text("Send the invoice")'], ['Time', '.gantt-name:has-text("Send the invoice")'], ['Log', 'h2:has-text("No line yet")'], ['Events', '.events b:has-text("run_completed")']]) {
    await page.getByRole('tab', { name: tab, exact: true }).click()
    await page.locator(mark).first().waitFor()
    await t.axe(page, `run ${tab}`)
    await t.narrow(page, `run ${tab}`)
    await t.shot(page, `run-${tab.toLowerCase()}`)
  }
  // The address opens the same view elsewhere.
  const other = await t.page()
  await other.goto(page.url())
  await other.locator('.events b').getByText('run_completed').waitFor()
}
