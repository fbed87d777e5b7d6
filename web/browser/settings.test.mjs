// Settings as people change them: the pool's, tokens of services, and what runs here.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { openPage, startBrowser } from './browser.mjs'
import { startServer } from './server.mjs'
import { closeNotices, eventually, hasNoBarriers, signIn, SIZES, takeSecret } from './steps.mjs'

const browser = await startBrowser()
after(() => browser.close())

for (const options of Object.values(SIZES)) {
  describe(`at ${options.viewport.width} px`, () => {
    /** @type {import('./server.mjs').Server} */
    let server
    /** @type {import('playwright-core').Page} */
    let page
    /** @type {string[]} */
    let troubles

    const dialog = () => page.getByRole('dialog')
    const button = (/** @type {string | RegExp} */ name) => page.getByRole('button', { name, exact: true })
    const setting = async (/** @type {string} */ key) => (await server.api('settings')).settings.find((/** @type {{ key: string }} */ one) => one.key === key)
    const closed = () => dialog().waitFor({ state: 'detached' })
    const refusals = (/** @type {RegExp} */ expected) => {
      const said = troubles.splice(0)
      assert.ok(said.length > 0 && said.every((one) => expected.test(one)), said.join('\n'))
    }
    /** What the API answers to somebody with this token. */
    const asToken = (/** @type {string} */ token) =>
      fetch(`${server.url}/api/admin/api-pool/allocate/preview`, {
        method: 'POST',
        headers: { 'X-Service-Token': token, 'Content-Type': 'application/json' },
        body: JSON.stringify({ account_id: 'test:1' }),
      })

    before(async () => {
      server = await startServer()
      ;({ page, troubles } = await openPage(browser, server.url, options))
      await page.goto('/settings')
      await signIn(page)
      await page.getByRole('heading', { name: 'Thresholds' }).waitFor()
    })
    after(async () => {
      await page?.context().close()
      await server?.stop()
    })
    afterEach(async () => {
      await closeNotices(page)
      assert.deepEqual(troubles.splice(0), [])
    })

    it('changes a threshold, takes it back, and goes back to the default', async () => {
      await hasNoBarriers(page)
      const warning = page.getByLabel('Capacity warning', { exact: true })
      assert.equal(await warning.inputValue(), '80')
      await warning.fill('99')
      await page.getByText('The warning must not be above what is critical.').waitFor()
      assert.ok(await button('Save').isDisabled())
      await warning.fill('70')
      await button('Save').click()
      await eventually(async () => assert.equal((await setting('capacity.warning_percent')).value, 70))
      await page.getByText('Set by user:admin').waitFor()
      await button('Undo').click()
      await eventually(async () => assert.equal((await setting('capacity.warning_percent')).source, 'default'))
      await eventually(async () => assert.equal(await warning.inputValue(), '80'))
      await closeNotices(page)
      await server.api('settings', { 'capacity.warning_percent': 60 }, 'PUT')
      await eventually(async () => assert.equal(await warning.inputValue(), '60'))
      await button('Capacity warning: back to default').click()
      await button('Save').click()
      await eventually(async () => assert.equal((await setting('capacity.warning_percent')).source, 'default'))
    })

    it('saves beside a change to other settings, and asks about one to the same', async () => {
      const jobs = page.getByLabel('Finished jobs', { exact: true })
      await jobs.fill('20')
      await server.api('settings', { 'capacity.critical_percent': 96 }, 'PUT')
      await button('Save').click()
      await eventually(async () => assert.equal((await setting('retention.jobs_days')).value, 20))
      assert.equal((await setting('capacity.critical_percent')).value, 96)
      refusals(/412/)
      await closeNotices(page)

      await jobs.fill('30')
      await server.api('settings', { 'retention.jobs_days': 25 }, 'PUT')
      await button('Save').click()
      await eventually(async () => assert.deepEqual(await page.getByRole('alert').locator('td').allInnerTexts(), ['25', '30']))
      refusals(/412/)
      assert.equal((await setting('retention.jobs_days')).value, 25)
      await hasNoBarriers(page)
      await button('Save mine over theirs').click()
      await eventually(async () => assert.equal((await setting('retention.jobs_days')).value, 30))
    })

    it('finds settings, and chooses a strategy', async () => {
      await page.getByRole('searchbox').fill('ranked')
      await page.waitForURL('/settings?q=ranked')
      await page.getByRole('heading', { name: 'Thresholds' }).waitFor({ state: 'hidden' })
      await page.getByRole('radio', { name: /Health/ }).click()
      // A notice of the step before may have come late.
      await closeNotices(page)
      await button('Save').click()
      await eventually(async () => assert.equal((await setting('strategy')).value, 'health'))
      await page.getByRole('searchbox').fill('nonsense')
      await page.getByRole('heading', { name: 'Nothing matches “nonsense”' }).waitFor()
      await button('Clear search and filters').click()
      await page.getByRole('heading', { name: 'Thresholds' }).waitFor()
    })

    it('issues a token that is shown once, works, and is revoked', async () => {
      await page.goto('/settings/tokens')
      await page.getByRole('heading', { name: 'No service tokens yet' }).waitFor()
      await button('Issue token').first().click()
      await dialog().getByRole('textbox', { name: 'Product' }).fill('Chat')
      await dialog().getByRole('button', { name: 'Issue token' }).click()
      await dialog().getByText('1 to 32 lower-case letters').waitFor()
      await dialog().getByRole('textbox', { name: 'Product' }).fill('chat')
      await dialog().getByLabel('Note').fill('Two machines')
      await hasNoBarriers(page)
      await dialog().getByRole('button', { name: 'Issue token' }).click()
      await page.getByRole('heading', { name: 'Token of chat' }).waitFor()
      assert.match(await dialog().locator('pre').innerText(), /^curl -X POST \S+\/allocate\/preview/)
      const token = await takeSecret(page)
      assert.match(token, /^svc_chat_/)
      assert.equal((await asToken(token)).status, 200)
      const [{ product, scopes, note, member_level }] = (await server.api('service-tokens')).items
      assert.deepEqual({ product, scopes: scopes.length, note, member_level }, { product: 'chat', scopes: 4, note: 'Two machines', member_level: 'free' })
      await hasNoBarriers(page)

      await button('Revoke the token of chat').click()
      await dialog().getByText('is refused within a second').waitFor()
      await hasNoBarriers(page)
      await dialog().getByRole('button', { name: 'Revoke' }).click()
      await closed()
      await eventually(async () => assert.equal((await asToken(token)).status, 401))
      assert.equal((await server.api('service-tokens')).total, 0)
    })

    it('says what runs here', async () => {
      await page.goto('/settings/about')
      const { version } = await (await fetch(`${server.url}/api/health`)).json()
      await page.getByText(version, { exact: true }).waitFor()
      for (const name of ['API reference', 'OpenAPI document', 'Licences']) {
        const path = await page.getByRole('link', { name: new RegExp(name) }).getAttribute('href')
        assert.equal((await fetch(`${server.url}${path}`)).status, 200)
      }
      await hasNoBarriers(page)
    })

    it('speaks 繁體中文', async () => {
      await page.evaluate(() => localStorage.setItem('api-pool.locale', 'zh-TW'))
      for (const [path, heading] of [['', '對接池'], ['/users', '使用者'], ['/roles', '角色'], ['/tokens', '服務權杖'], ['/you', '您的帳號'], ['/about', '關於']]) {
        await page.goto(`/settings${path}`)
        await page.getByRole('heading', { level: 1, name: heading ?? '' }).waitFor()
        await hasNoBarriers(page)
      }
      await page.evaluate(() => localStorage.setItem('api-pool.locale', 'en'))
    })
  })
}
