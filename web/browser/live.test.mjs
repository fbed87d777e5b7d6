// What others do is seen as it happens; a lost connection is shown, and what was missed is caught up on.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { openPage, startBrowser } from './browser.mjs'
import { startServer } from './server.mjs'
import { eventually, signIn, SIZES } from './steps.mjs'

const folder = mkdtempSync(join(tmpdir(), 'api-pool-live-'))
const database = join(folder, 'pool.db')
const hash = 'a'.repeat(32)

let server = await startServer({ database })
await server.api('api-pool/batch', { data: [1, 2, 3].map((one) => `100000${one}:${hash}:Number ${one}`).join('\n') })
/** @type {{ items: { id: string }[] }} */
const { items } = await server.api('api-pool/?sort=api_id')
const browser = await startBrowser()
const { page, troubles } = await openPage(browser, server.url, SIZES.wide)

const link = (/** @type {string} */ state) => page.locator(`[data-link=${state}]`).waitFor()
const row = (/** @type {string} */ apiId) => page.getByRole('row').filter({ hasText: apiId })

before(async () => {
  await page.goto('/credentials?sort=api_id')
  await signIn(page)
  await page.getByText('1000001').waitFor()
  await link('live')
})
after(async () => {
  await browser.close()
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

it('shows what others do, in the row where it stands', async () => {
  await server.api(`api-pool/${items[0]?.id}/disable`, {})
  await row('1000001').getByText('Disabled').waitFor()
  assert.deepEqual(troubles.splice(0), [])
})

it('does not move rows under the pointer: new ones wait until they are asked for', async () => {
  await server.api('api-pool/', { api_id: '1000000', api_hash: hash, name: 'Number 0' })
  await page.getByText('1 new since you looked').waitFor()
  assert.equal(await row('1000000').count(), 0)
  await page.getByRole('button', { name: 'Show', exact: true }).click()
  await row('1000000').waitFor()
  assert.equal(await page.getByText('since you looked').count(), 0)
  assert.deepEqual(troubles.splice(0), [])
})

it('tells a lost connection, comes back by itself and catches up', async () => {
  const port = Number(new URL(server.url).port)
  await server.kill()
  await page.getByRole('alert').getByText('The live connection was lost').waitFor()
  await link('lost')

  server = await startServer({ database, port })
  await server.api(`api-pool/${items[1]?.id}/disable`, {})
  await link('live')
  await row('1000002').getByText('Disabled').waitFor()
  await eventually(async () => assert.equal(await page.getByRole('alert').count(), 0))
  // Calls that met nobody are told by the browser itself.
  assert.deepEqual(troubles.splice(0).filter((trouble) => !/ERR_CONNECTION|ERR_EMPTY|ERR_INCOMPLETE|WebSocket/.test(trouble)), [])
})
