// The server is killed while a run is followed, and started again: the page says so, and catches up
// by itself. A session that ends keeps what was typed.
const definition = {
  name: 'Release', steps: [
    { id: 'ask', name: 'Ask', type: 'wait', config: { signal: { name: 'go', prompt: 'Go on?' } } },
    { id: 'done', name: 'Done', type: 'condition', depends_on: ['ask'], config: { expression: 'true' } },
  ],
}

export default async function (t) {
  t.unreachable()
  await t.api('POST', '/api/workflows', { slug: 'release', definition })
  const { run_id: id } = await t.api('POST', '/api/workflows/release/run', {})
  await t.run(id, 'waiting')
  const page = await t.page()
  await page.goto(`/runs/${id}`)
  await page.locator('.run-state').getByText('Waiting').waitFor()
  await page.locator('.connection.live').waitFor()

  await t.server.end()
  await page.locator('.lost-note').waitFor()
  await page.locator('.run-state').getByText('Waiting').waitFor()
  t.equal(await page.getByRole('button', { name: 'Cancel…' }).getAttribute('aria-disabled'), 'true', 'a change while the server is away')
  await t.axe(page, 'the server is away')
  await t.server.start()
  await t.api('POST', `/v1/runs/${id}/signals/go`, { payload: {} })
  await page.locator('.run-state').getByText('Completed').waitFor({ timeout: 30_000 })
  await page.locator('.lost-note').waitFor({ state: 'hidden' })

  // The session ends elsewhere; what was typed stays.
  await page.getByRole('button', { name: 'Restart…' }).click()
  await page.getByRole('dialog').getByLabel('Reason').fill('a long story')
  const { sessions } = await t.api('GET', '/v1/sessions')
  for (const s of sessions) await t.api('DELETE', `/v1/sessions/${s.id}`)
  await page.getByRole('dialog').getByRole('button', { name: 'Restart' }).click()
  const again = page.getByRole('dialog', { name: 'Your session has ended' })
  await again.getByLabel('API key').fill(t.key)
  await t.axe(page, 'the session has ended')
  await again.getByRole('button', { name: 'Sign in' }).click()
  await again.waitFor({ state: 'hidden' })
  t.equal(await page.getByLabel('Reason').inputValue(), 'a long story', 'what was typed')
  // With the new session the page is told of changes again.
  await page.getByRole('dialog').getByRole('button', { name: 'Restart' }).click()
  await t.until(page, () => !page.url().includes(id), 'the new run')
  await page.locator('.run-state').getByText('Waiting').waitFor()
  await page.locator('.connection.live').waitFor()
  await t.api('POST', `/v1/runs/${new URL(page.url()).pathname.split('/').at(-1)}/signals/go`, { payload: {} })
  await page.locator('.run-state').getByText('Completed').waitFor()
}
