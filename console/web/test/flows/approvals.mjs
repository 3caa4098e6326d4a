// Approvals: someone who has the right to answer and no other finds what is asked, looks at it,
// answers; who comes late is told who answered. Forms of schemas, buttons of choices.
const signal = (id, name, more, after) => ({ id, type: 'wait', ...(after ? { depends_on: after } : {}), config: { signal: { name, ...more } } })

async function make(t) {
  await t.api('POST', '/api/workflows', { slug: 'release', definition: { name: 'Release', input: { type: 'object', properties: { build: { type: 'integer' } } }, steps: [
    signal('ask', 'approve', { prompt: 'Ship build {{ input.build }}?', choices: ['ship', 'hold'], context: { build: '{{ input.build }}', tests: '<script>alert(1)</script>', log: ['green', '9 of 9'] } })] } })
  await t.api('POST', '/api/workflows', { slug: 'refund', definition: { name: 'Refund', steps: [
    signal('how', 'amount', { prompt: 'How much is to be refunded?', schema: { type: 'object', required: ['amount'], properties: { amount: { type: 'number', maximum: 1e17, description: 'In cents.' }, why: { enum: ['broken', 'late'] } } } })] } })
  await t.api('POST', '/api/workflows/release/run', { input_data: { build: 7 } })
  await t.api('POST', '/api/workflows/refund/run', {})
  const list = async () => (await t.api('GET', '/api/workflows/approvals?status=open')).approvals
  const end = Date.now() + 15_000
  for (;;) {
    const open = await list()
    if (open.length === 2) return Object.fromEntries(open.map((a) => [a.workflow.slug, a.id]))
    if (Date.now() > end) throw new Error('the runs do not wait')
  }
}

export default async function (t) {
  t.allow(403, 404, 409, 422)
  const admin = await t.page()
  await admin.goto('/approvals')
  await admin.getByRole('heading', { name: 'Nothing waits for an answer' }).waitFor()
  await t.shot(admin, 'approvals-empty')
  const ids = await make(t)
  const { key: secret, id: keyID } = await t.api('POST', '/v1/keys', { name: 'ann', role: 'none' })
  for (const workflow of ['release', 'refund']) await t.api('PUT', '/v1/grants', { key_id: keyID, workflow, actions: ['answer'] })

  // Someone who may answer alone.
  const page = await t.page({ as: secret })
  await page.goto('/approvals')
  await page.getByRole('link', { name: 'Ship build 7?' }).waitFor()
  await t.axe(page, 'inbox')
  await t.narrow(page, 'inbox')
  await t.shot(page, 'approvals')
  await page.getByRole('link', { name: 'Ship build 7?' }).click()
  await page.getByRole('button', { name: 'ship' }).waitFor()
  t.equal(await page.getByRole('main').getByRole('link').allTextContents(), ['All approvals'], 'links of someone who may see nothing else')
  await page.getByText('<script>alert(1)</script>').waitFor()
  await t.axe(page, 'approval')
  await t.narrow(page, 'approval')
  await t.shot(page, 'approval')

  // The admin has it open too, and is later.
  await admin.goto(`/approvals/${ids.release}`)
  await admin.getByRole('button', { name: 'hold' }).waitFor()
  await admin.route('**/approvals/apr_*', (r) => r.abort()) // it does not hear of the answer
  t.unreachable()
  await page.getByLabel('Comment').fill('The tests are green.')
  await page.getByRole('button', { name: 'ship' }).dblclick()
  await page.getByText('ann answered').waitFor()
  await t.axe(page, 'answered')
  await admin.unroute('**/approvals/apr_*')
  await admin.getByRole('button', { name: 'hold' }).or(admin.getByText('ann answered')).first().waitFor()
  const late = admin.getByRole('button', { name: 'hold' })
  if (await late.isVisible()) await late.click()
  await admin.getByText(/ann answered/).first().waitFor()
  await t.axe(admin, 'answered before')
  await t.shot(admin, 'approval-late')

  // A form: what is wrong is said at the field; a number stays what was typed.
  await page.goto(`/approvals/${ids.refund}`)
  await page.getByRole('button', { name: 'Send the answer' }).click()
  await page.getByText('This field is required').waitFor()
  await t.axe(page, 'answer refused')
  await t.shot(page, 'approval-form')
  await page.getByLabel('amount').fill('9007199254740993')
  await page.getByLabel('why').focus()
  await page.keyboard.press('Control+Enter')
  await page.getByText('ann answered').waitFor()
  const text = await (await fetch(`${t.base}/api/workflows/approvals/${ids.refund}`, { headers: { Authorization: `Bearer ${t.key}` } })).text()
  if (!text.includes('{"amount":9007199254740993}')) throw new Error(`the answer is not as it was typed: ${text}`)
  await page.goto('/approvals?status=answered')
  await page.getByRole('link', { name: 'Ship build 7?' }).waitFor()
  await t.axe(page, 'answered ones')
}
