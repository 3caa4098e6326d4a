// A provider of identities that is not ours, the npm package oauth2-mock-server,
// signs people in to the real program: $HEDDLE_BIN, which .ci/oidc sets.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { OAuth2Server } from 'oauth2-mock-server'

const key = 'a-key-beside-the-provider'
const provider = new OAuth2Server()
// What the next tokens say; a member that is undefined is left out.
let says = {}
let dir, server, base

// A port that was free a moment ago: the program has to be told its own URL.
async function freePort() {
  const s = createServer()
  await new Promise((done) => s.listen(0, '127.0.0.1', done))
  const { port } = s.address()
  await new Promise((done) => s.close(done))
  return port
}

before(async () => {
  await provider.issuer.keys.generate('RS256')
  await provider.start(await freePort(), '127.0.0.1')
  provider.issuer.url = `http://127.0.0.1:${provider.address().port}`
  provider.service.on('beforeTokenSigning', (token) => Object.assign(token.payload, { name: 'John Doe', groups: ['staff'] }, says))
  dir = await mkdtemp(join(tmpdir(), 'heddle-oidc-'))
  const listen = `127.0.0.1:${await freePort()}`
  server = spawn(process.env.HEDDLE_BIN, ['serve'], {
    cwd: dir, stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH, HEDDLE_LISTEN: listen, HEDDLE_BOOTSTRAP_KEY: key, HEDDLE_LOG_LEVEL: 'error', HEDDLE_PUBLIC_URL: `http://${listen}`,
      HEDDLE_OIDC_ISSUER: provider.issuer.url, HEDDLE_OIDC_CLIENT_ID: 'heddle', HEDDLE_OIDC_CLIENT_SECRET: 'secret', HEDDLE_OIDC_ROLES: 'admins=admin,staff=editor',
    },
  })
  for await (const line of createInterface({ input: server.stdout })) {
    const [word, address] = line.trim().split(/\s+/)
    if (word === 'serving') {
      base = address
      return
    }
  }
  throw new Error('the server ended before it served')
})
after(async () => {
  const ended = new Promise((done) => server.once('exit', done))
  server.kill('SIGTERM')
  await ended
  if (provider.listening) await provider.stop()
  await rm(dir, { recursive: true })
})

// A browser keeps cookies for the program alone, as SameSite lets it.
class Browser {
  cookies = new Map()

  async go(url, { method = 'GET', ...headers } = {}) {
    const cookie = [...this.cookies].map(([k, v]) => `${k}=${v}`).join('; ')
    const ours = url.startsWith(base)
    const answer = await fetch(url, { method, redirect: 'manual', headers: { accept: 'text/html', ...(ours && cookie ? { cookie } : {}), ...headers } })
    for (const line of answer.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split('; ')
      const [name, value] = pair.split('=')
      if (attributes.includes('Max-Age=0')) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return answer
  }

  // From the page for signing in to the end: the path where the browser is.
  async signIn(returnTo = '/') {
    let answer = await this.go(`${base}/v1/session/oidc?return_to=${encodeURIComponent(returnTo)}`)
    assert.equal(answer.status, 303, await answer.text())
    answer = await this.go(answer.headers.get('location'))
    assert.equal(answer.status, 302, await answer.text())
    answer = await this.go(answer.headers.get('location'))
    assert.equal(answer.status, 303, await answer.text())
    return answer.headers.get('location')
  }

  async who() {
    const answer = await this.go(`${base}/v1/session`)
    return answer.status === 200 ? await answer.json() : null
  }
}

test('a person signs in, returns, and signs out', async () => {
  says = {}
  const b = new Browser()
  assert.deepEqual(await (await b.go(`${base}/v1/session/methods`)).json(), { methods: ['key', 'oidc'] })
  assert.equal(await b.signIn('/runs?status=failed'), '/runs?status=failed')
  const who = await b.who()
  assert.equal(who.principal.type, 'user')
  assert.equal(who.principal.name, 'John Doe')
  assert.equal(who.role, 'editor')
  assert.equal((await b.go(`${base}/v1/session`, { method: 'DELETE' })).status, 204)
  assert.equal(await b.who(), null)
})

test('the same person with another group is the same user with another role', async () => {
  says = {}
  const first = new Browser()
  await first.signIn()
  says = { groups: ['admins'] }
  const second = new Browser()
  await second.signIn()
  assert.equal((await second.who()).role, 'admin')
  assert.equal((await first.who()).principal.id, (await second.who()).principal.id)
})

for (const [name, claims, code] of [
  ['without a role', { groups: ['others'] }, 'no_role'],
  ['for another client', { aud: 'another' }, 'identity_rejected'],
  ['of another issuer', { iss: 'https://evil.example' }, 'identity_rejected'],
  ['of another sign-in', { nonce: 'another' }, 'identity_rejected'],
  ['that has expired', { exp: Math.floor(Date.now() / 1000) - 120 }, 'identity_rejected'],
  ['of the future', { iat: Math.floor(Date.now() / 1000) + 600 }, 'identity_rejected'],
]) {
  test(`a token ${name} signs nobody in`, async () => {
    says = claims
    const b = new Browser()
    assert.equal(await b.signIn(), `/login?error=${code}`)
    assert.equal(await b.who(), null)
  })
}

test('the provider rotates its keys', async () => {
  says = {}
  await new Browser().signIn()
  await provider.issuer.keys.generate('RS256')
  for (let i = 0; i < 3; i++) { // the keys take turns
    const b = new Browser()
    assert.equal(await b.signIn(), '/')
    assert.notEqual(await b.who(), null)
  }
})

// The last one: the provider does not come back.
test('a provider that is away locks out neither keys nor sessions', async () => {
  says = {}
  const b = new Browser()
  await b.signIn()
  const late = new Browser()
  const begun = await late.go(`${base}/v1/session/oidc`)
  const back = (await late.go(begun.headers.get('location'))).headers.get('location')
  await provider.stop()
  assert.equal((await late.go(back)).headers.get('location'), '/login?error=oidc_unavailable')
  assert.equal(await late.who(), null)
  assert.notEqual(await b.who(), null)
  assert.equal((await new Browser().go(`${base}/v1/keys`, { authorization: `Bearer ${key}` })).status, 200)
})
