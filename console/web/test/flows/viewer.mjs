// Who may only look sees every button that is for others with the reason why it is not for them.
const definition = { name: 'Release', steps: [{ id: 'ask', name: 'Ask', type: 'wait', config: { signal: { name: 'go', prompt: 'Go on?' } } }] }

export default async function (t) {
  await t.api('POST', '/api/workflows', { slug: 'release', definition })
  const { run_id: id } = await t.api('POST', '/api/workflows/release/run', {})
  await t.run(id, 'waiting')
  const page = await t.page({ as: await t.keyOf('viewer') })
  await page.goto(`/runs/${id}`)
  for (const [name, right] of [['Cancel…', 'execute'], ['Pause…', 'execute'], ['Restart…', 'operate'], ['Terminate…', 'operate']]) {
    const button = page.getByRole('button', { name })
    await button.waitFor()
    t.equal(await button.getAttribute('aria-disabled'), 'true', name)
    t.equal(await button.evaluate((b) => document.getElementById(b.getAttribute('aria-describedby'))?.textContent.includes('right to')), true, `the reason at ${name}, ${right}`)
    await button.click({ force: true })
  }
  t.equal(await page.getByRole('dialog').count(), 0, 'dialogs that opened')
  t.equal(await page.getByRole('navigation').getByRole('link', { name: 'Audit' }).count(), 0, 'screens of administrators')
  await t.axe(page, 'viewer')
}
