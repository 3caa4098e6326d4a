// The link that serve printed: it signs in once, and leaves the address bar.
async function byLink(t) {
  const link = /sign in +(\S+)/.exec(t.server.output)?.[1]
  const page = await t.page({ as: null })
  await page.goto(link)
  await page.getByRole('navigation', { name: 'Screens' }).waitFor()
  t.equal(page.url().includes('token'), false, 'the token in the address')
  const again = await t.page({ as: null })
  await again.goto(link)
  await again.getByRole('alert').getByText('used already').waitFor()
  t.equal(again.url().includes('token'), false, 'the token in the address')
  await t.axe(again, 'a used link')
}

// Signing in with a key, by keyboard alone: a wrong one, the right one, back to where one was;
// signing out. What the page lets scripts see is not the key.
export default async function (t) {
  await byLink(t)
  const page = await t.page({ as: null })
  await page.goto('/runs?status=failed')
  await page.getByLabel('API key').waitFor()
  await t.axe(page, 'login')
  await t.narrow(page, 'login')
  await t.shot(page, 'login')

  await page.keyboard.type('not a key of this server')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').getByText('unauthenticated').waitFor()
  await t.axe(page, 'login refused')

  await page.getByLabel('API key').fill('')
  await page.getByLabel('API key').focus()
  await page.keyboard.type(t.key)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'Runs' }).waitFor()
  t.equal(new URL(page.url()).pathname + new URL(page.url()).search, '/runs?status=failed', 'where one was sent')
  t.equal(await page.evaluate(() => document.cookie + Object.keys(localStorage) + Object.keys(sessionStorage)), '', 'what scripts see')
  await t.axe(page, 'runs')
  await t.narrow(page, 'runs')

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByLabel('API key').waitFor()
  await page.goto('/runs')
  await page.getByLabel('API key').waitFor()
}
