// The journal as people read it: the pool's history and the audit trail, narrowed down, opened, and taken as a file.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, afterEach, before, describe, it } from 'node:test'
import { openPage, startBrowser } from './browser.mjs'
import { fillPool } from './demo.mjs'
import { OWNER, startServer } from './server.mjs'
import { choose, eventually, fits, hasNoBarriers, shownRange, signIn, SIZES } from './steps.mjs'

const server = await startServer()
await fillPool(server.api)
const { items } = await server.api('api-pool/?limit=1')
/** @type {{ id: string, api_id: string, name: string }} */
const credential = items[0]
await server.api('api-pool/bulk', { ids: [credential.id], action: 'assign_group', group_id: null })
await server.api('api-pool/allocate', { account_id: 'story+1:a' })
await server.api('api-pool/release', { account_id: 'story+1:a' })
// Somebody who does not know the password.
await fetch(`${server.url}/api/admin/login`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ ...OWNER, password: 'guess' }) })
const browser = await startBrowser()

after(async () => {
  await browser.close()
  await server.stop()
})

for (const [size, options] of Object.entries(SIZES)) {
  describe(`history at ${options.viewport.width} px`, () => {
    /** @type {import('playwright-core').Page} */
    let page
    /** @type {string[]} */
    let troubles

    const expanders = () => page.getByRole('button', { name: /^Details of event/ })
    const param = (/** @type {string} */ name, /** @type {string | null} */ value) => page.waitForURL((url) => url.searchParams.get(name) === value)

    /** The rows shown are those that the API answers. */
    async function lists(/** @type {string} */ path, /** @type {Record<string, string>} */ query = {}) {
      const { items, total } = await server.api(`${path}?${new URLSearchParams({ limit: '50', ...query })}`)
      const wanted = items.map((/** @type {{ id: string }} */ { id }) => `Details of event ${id}`)
      await eventually(async () => {
        const shown = await expanders().evaluateAll((buttons) => buttons.map((button) => button.getAttribute('aria-label')))
        assert.deepEqual(shown, wanted)
      })
      return { items, total }
    }
    const history = (/** @type {Record<string, string>} */ query = {}) => lists('api-pool/history', query)
    const audit = (/** @type {Record<string, string>} */ query = {}) => lists('audit-logs', query)

    before(async () => {
      ;({ page, troubles } = await openPage(browser, server.url, { ...options, acceptDownloads: true }))
      await page.goto('/')
      await signIn(page)
      await page.locator('#content').waitFor()
    })
    after(() => page?.context().close())
    afterEach(() => assert.deepEqual(troubles.splice(0), []))

    it('tells what happened to the pool, the newest first', async () => {
      await page.goto('/history')
      const { items } = await history()
      await expanders().first().click()
      await page.getByText(items[0].request_id).waitFor()
      await page.getByText(items[0].action, { exact: true }).waitFor()
      await hasNoBarriers(page, 'the history')
      await expanders().first().click()
      await page.getByText(items[0].request_id).waitFor({ state: 'detached' })
    })

    it('narrows down to what is clicked, and the address says so', async () => {
      await page.getByTitle('Only Account: story+1:a').first().click()
      await param('q', 'story+1:a')
      const { items } = await history({ q: 'story+1:a' })
      assert.ok(items.length >= 2)
      await page.getByTitle('Only Event: api.released').first().click()
      await param('action', 'api.released')
      await history({ q: 'story+1:a', action: 'api.released' })
      await page.goBack()
      await history({ q: 'story+1:a' })
      await page.getByRole('button', { name: 'Clear', exact: true }).click()
      await page.waitForURL('/history')
      await history()
    })

    it('filters by event, by who, and by time', async () => {
      await page.getByRole('button', { name: 'Event', exact: true }).click()
      await page.getByRole('menuitemcheckbox', { name: 'Banned', exact: true }).click()
      await param('action', 'api.banned')
      await hasNoBarriers(page, 'the menu')
      await page.getByRole('menuitem', { name: 'All but these' }).click()
      await param('action!', 'api.banned')
      await page.keyboard.press('Escape')
      await history({ 'action!': 'api.banned' })

      await page.getByRole('button', { name: 'By', exact: true }).click()
      await page.locator('[name=operator]').fill('user:nobody, user:admin')
      await hasNoBarriers(page, 'who')
      await page.getByRole('button', { name: 'Apply' }).click()
      await param('operator', 'user:nobody,user:admin')
      await history({ 'action!': 'api.banned', operator: 'user:nobody,user:admin' })

      await page.getByRole('button', { name: 'Any time' }).click()
      await hasNoBarriers(page, 'the time')
      await page.getByRole('button', { name: 'Last 24 hours' }).click()
      await param('range', '24h')
      await history({ 'action!': 'api.banned', operator: 'user:nobody,user:admin' })
      await page.locator('[role=dialog]').waitFor({ state: 'detached' })
      await page.getByRole('button', { name: 'Last 24 hours' }).click()
      await page.locator('[name=to]').fill('2020-01-02T03:04')
      await page.getByRole('button', { name: 'Apply' }).click()
      await page.waitForURL((url) => url.searchParams.get('range') === null && (url.searchParams.get('to') ?? '').startsWith('2020-01-0'))
      await page.getByRole('heading', { name: 'Nothing matches these filters' }).waitFor()
      await fits(page)
      await page.getByRole('button', { name: 'Clear search and filters' }).click()
      await page.waitForURL('/history')
    })

    it('takes all that matches as a file, not only the page', async () => {
      await page.goto('/history?action=api.allocated&range=7d')
      const { total } = await history({ action: 'api.allocated' })
      assert.ok(total > 50)
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export CSV' }).click()])
      assert.match(download.suggestedFilename(), /^history-\d{4}-\d\d-\d\d\.csv$/)
      const lines = readFileSync(await download.path(), 'utf8').trim().split('\n')
      assert.equal(lines.length, total + 1)
      assert.ok(lines.slice(1).every((line) => line.includes('api.allocated')))
      await page.getByRole('button', { name: 'Export CSV' }).waitFor()
    })

    it('holds rows still, and says what is new', async () => {
      await page.goto('/history')
      const before = await history()
      await server.api('api-pool/allocate', { account_id: `news:${size}` })
      await page.getByText('1 new since you looked').waitFor()
      assert.equal(await expanders().first().getAttribute('aria-label'), `Details of event ${before.items[0].id}`)
      await page.getByRole('button', { name: 'Show', exact: true }).click()
      await history()
    })

    it('leafs through', async () => {
      const { next_cursor } = await server.api('api-pool/history?limit=50')
      await page.getByRole('button', { name: 'Next' }).click()
      await param('cursor', next_cursor)
      await history({ cursor: next_cursor })
      assert.match(await shownRange(page), /^51–100 of/)
    })

    it('shows what was refused, and what changed', async () => {
      await page.goto('/audit?outcome=failure')
      const { items } = await audit({ outcome: 'failure' })
      assert.ok(items.some((/** @type {{ action: string }} */ { action }) => action === 'user.sign_in_failed'))
      await page.getByText('Failed', { exact: true }).first().waitFor()

      await page.goto(`/audit?action=api.updated&q=${credential.api_id}`)
      await audit({ action: 'api.updated', q: credential.api_id })
      await expanders().first().click()
      const diff = page.getByRole('table', { name: 'Changed' })
      await diff.getByRole('row').nth(1).waitFor()
      assert.match(await diff.innerText(), /Group/)
      await page.getByRole('link', { name: credential.api_id }).waitFor()
      await hasNoBarriers(page, 'the audit trail')
    })

    it('follows one request', async () => {
      const { items } = await server.api('audit-logs?limit=1&action=user.sign_in_failed')
      await page.goto('/audit?action=user.sign_in_failed')
      await expanders().first().click()
      await page.getByTitle(`Only Request ID: ${items[0].request_id}`).click()
      await param('request_id', items[0].request_id)
      await audit({ action: 'user.sign_in_failed', request_id: items[0].request_id })
      await expanders().first().click()
      await page.getByTitle('Only IP address: 127.0.0.1').last().click()
      await param('ip', '127.0.0.1')
    })

    it('speaks 繁體中文', async () => {
      await choose(page, 'Your account', '繁體中文')
      await page.goto('/audit')
      await page.getByRole('heading', { level: 1, name: '稽核軌跡' }).waitFor()
      await fits(page)
      await choose(page, '您的帳號', 'English')
    })
  })
}
