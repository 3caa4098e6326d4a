// A schedule over a clock change, its ledger, a backfill that says first what it will run, a
// pause with its reason, an edit that somebody else overtook, and what a viewer sees of it all.
const definition = { name: 'Nightly export', input: { type: 'object', properties: { rows: { type: 'integer' } } }, steps: [{ id: 'enough', type: 'condition', config: { expression: 'true' } }] }
const day = (n) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10)

export default async function (t) {
  t.allow(403, 412, 422)
  await t.api('POST', '/api/workflows', { slug: 'nightly-export', definition })
  const page = await t.page()
  await page.goto('/schedules')
  await page.getByText('No schedules yet').waitFor()
  await t.axe(page, 'no schedules')
  await t.shot(page, 'schedules-empty')

  await create(t, page)
  await backfill(t, page)
  await pause(t, page)
  await overtaken(t, page)
  await viewer(t)
}

async function create(t, page) {
  await page.getByRole('button', { name: 'New schedule' }).click()
  await page.getByRole('button', { name: 'Nightly export' }).click()
  await page.getByLabel('At', { exact: true }).fill('02:30')
  await page.getByLabel('Time zone').fill('America/New_York')
  await page.getByText('At 02:30 every day, New York time').waitFor()
  t.equal(await page.locator('.preview .due li').count(), 10, 'due times previewed')
  t.equal(await page.getByLabel('Expression').inputValue(), '30 2 * * *', 'the expression')

  // The day on which 02:30 does not exist, and the other rule for it.
  await page.getByRole('button', { name: 'Show the next clock change' }).click()
  const note = page.locator('.preview .note-row')
  await note.filter({ hasText: 'moved to the first time after the gap' }).waitFor()
  await t.axe(page, 'new schedule')
  await t.narrow(page, 'new schedule')
  await t.shot(page, 'schedule-new')
  await page.getByRole('radio', { name: 'Not that day' }).check()
  await note.filter({ hasText: 'left out' }).waitFor()

  // What is not an expression is said by the server, beside it.
  await page.getByLabel('Repeats').selectOption('text')
  await page.getByLabel('Expression').fill('30 25 * * *')
  await page.locator('.preview').getByText('invalid_cron').waitFor()
  await t.axe(page, 'wrong expression')
  await page.getByLabel('Expression').fill('30 2 * * *')
  await page.getByText('At 02:30 every day, New York time').waitFor()

  await page.getByLabel('rows').fill('9007199254740993')
  await page.getByRole('button', { name: 'Create' }).click()
  await page.getByRole('heading', { level: 1, name: 'At 02:30 every day, New York time' }).waitFor()
  await page.getByText('Input', { exact: true }).click()
  await page.getByText('9007199254740993').waitFor()
}

async function backfill(t, page) {
  await page.getByRole('button', { name: 'Backfill…' }).click()
  await page.getByLabel('After', { exact: true }).fill(`${day(-6)}T00:00`)
  await page.getByLabel('Up to', { exact: true }).fill(`${day(-1)}T00:00`)
  await page.getByText('5 due times will run.').waitFor()
  t.equal(await page.getByRole('dialog').locator('tbody tr').count(), 5, 'due times of the preview')
  await t.axe(page, 'backfill')
  await page.getByRole('button', { name: 'Run 5 due times' }).click()
  await page.getByRole('heading', { level: 2 }).filter({ hasText: day(-6).slice(0, 4) }).first().waitFor()
  await page.getByRole('region', { name: 'Due times of the day' }).getByText('Asked for by a backfill').waitFor()
  await page.getByRole('region', { name: 'Due times of the day' }).getByText('Completed').waitFor()
  await t.axe(page, 'calendar')
  await t.narrow(page, 'calendar')
  await t.shot(page, 'schedule')

  // The same again: it says that these ran.
  await page.getByRole('button', { name: 'Backfill…' }).click()
  await page.getByLabel('After', { exact: true }).fill(`${day(-4)}T00:00`)
  await page.getByLabel('Up to', { exact: true }).fill(`${day(-1)}T00:00`)
  await page.getByText('3 due times will run, 3 of which ran already and will run again.').waitFor()
  await t.shot(page, 'schedule-backfill', { fullPage: false })
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  t.equal(await page.evaluate(() => document.activeElement.textContent), 'Backfill…', 'where the focus goes')
}

async function pause(t, page) {
  await page.getByRole('button', { name: 'Pause…' }).click()
  await page.keyboard.type('Stocktaking until Monday')
  await page.keyboard.press('Enter')
  await page.getByText('“Stocktaking until Monday”').waitFor()
  await t.axe(page, 'paused')
  await page.getByRole('link', { name: 'Schedules', exact: true }).click()
  await page.getByRole('row').getByText('Stocktaking until Monday').waitFor()
  await t.axe(page, 'schedules')
  await t.narrow(page, 'schedules')
  await page.getByRole('link', { name: 'At 02:30 every day, New York time' }).click()
  await page.getByRole('button', { name: 'Resume…' }).click()
  await page.getByRole('button', { name: 'Resume', exact: true }).click()
  await page.getByRole('heading', { name: 'Next due' }).waitFor()
}

// overtaken edits what another browser changes meanwhile: nothing of either is lost.
async function overtaken(t, page) {
  await page.getByRole('button', { name: 'Edit' }).click()
  await page.getByRole('radio', { name: 'Queue' }).check()
  const { schedules } = await t.api('GET', '/api/workflows/schedules')
  await t.api('PATCH', `/api/workflows/schedules/${schedules[0].id}`, { timezone: 'Europe/Berlin' })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Someone has changed this schedule').waitFor()
  t.equal(await page.getByRole('radio', { name: 'Queue' }).isChecked(), true, 'what was written')
  await page.getByRole('button', { name: 'Read it again' }).click()
  await page.getByText('Someone has changed this schedule').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: 'Next due' }).waitFor()
  const after = (await t.api('GET', `/api/workflows/schedules/${schedules[0].id}`)).schedule
  t.equal([after.timezone, after.overlap_policy], ['Europe/Berlin', 'queue'], 'both changes')
}

async function viewer(t) {
  const { key } = await t.api('POST', '/v1/keys', { name: 'viewer', role: 'viewer' })
  const page = await t.page({ as: key })
  await page.goto('/schedules')
  await page.getByRole('link', { name: /^At 02:30/ }).click()
  for (const name of ['Edit', 'Pause…', 'Run now…', 'Backfill…', 'Delete…']) {
    const button = page.getByRole('button', { name })
    t.equal(await button.getAttribute('aria-disabled'), 'true', name)
    await button.focus()
    await page.getByRole('tooltip').filter({ hasText: 'it needs the right to' }).and(page.locator(':visible')).waitFor()
  }
  await t.axe(page, 'viewer')
}
