// The frame around every page: the palette, the keys, where one is, notices with a way back, and times to the second.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { openPage, startBrowser } from './browser.mjs'
import { fillPool } from './demo.mjs'
import { startServer } from './server.mjs'
import { choose, closeNotices, eventually, hasNoBarriers, signIn, SIZES } from './steps.mjs'

const server = await startServer()
await fillPool(server.api)
/** @type {{ items: { id: string, api_id: string, name: string, last_allocated_at: string | null }[] }} */
const { items } = await server.api('api-pool/?limit=100')
const browser = await startBrowser()

after(async () => {
  await browser.close()
  await server.stop()
})

for (const [size, options] of Object.entries(SIZES)) {
  describe(`at ${options.viewport.width} px`, () => {
    const isWide = size === 'wide'
    /** @type {import('playwright-core').Page} */
    let page
    /** @type {string[]} */
    let troubles

    const dialog = () => page.getByRole('dialog')
    /** @param {string} address */
    const visit = async (address) => {
      await page.goto(address)
      await page.locator('#content h1').waitFor()
    }
    const palette = async () => {
      if (isWide) await page.keyboard.press('Control+k')
      else await page.getByRole('button', { name: 'Search or go to' }).click()
      await dialog().getByPlaceholder('A page, an api_id').waitFor()
    }
    const option = (/** @type {string} */ name) => dialog().getByRole('option', { name }).first()

    before(async () => {
      ;({ page, troubles } = await openPage(browser, server.url, { ...options, permissions: ['clipboard-read', 'clipboard-write'] }))
      await page.goto('/credentials')
      await signIn(page)
      await page.getByText(items[0]?.api_id ?? '').waitFor()
    })
    after(() => page?.context().close())
    afterEach(async () => {
      assert.deepEqual(troubles.splice(0), [])
      await closeNotices(page)
    })

    it('goes anywhere by typing', async () => {
      const one = /** @type {typeof items[number]} */ (items[7])
      await palette()
      await hasNoBarriers(page, 'the palette')
      await page.keyboard.type(one.api_id)
      await option(one.name).waitFor()
      await option(one.name).click()
      await page.waitForURL(`/credentials/${one.id}`)
      await dialog().getByRole('heading', { name: one.name }).waitFor()

      await visit('/credentials')
      await palette()
      await page.keyboard.type('story:nobody')
      await option('Look up account “story:nobody”').click()
      await page.waitForURL((url) => decodeURIComponent(url.pathname) === '/accounts/story:nobody')

      await visit('/credentials')
      await palette()
      await page.keyboard.type('Audit')
      await option('Audit trail').waitFor()
      await page.keyboard.press('Enter')
      await page.waitForURL('/audit')
    })

    it('finds nothing of a text that is no longer there', async () => {
      const [one, other] = [items[3], items[11]]
      await visit('/credentials')
      await palette()
      const field = dialog().getByPlaceholder('A page, an api_id')
      await field.fill(one?.api_id ?? '')
      await option(one?.name ?? '').waitFor()
      await field.fill(other?.api_id ?? '')
      assert.equal(await dialog().getByRole('option', { name: one?.api_id ?? '' }).count(), 0)
      await option(other?.name ?? '').waitFor()
      await page.keyboard.press('Escape')
      await dialog().waitFor({ state: 'detached' })
    })

    it('tells its keys, and hears them', async () => {
      await page.goto('/credentials')
      await page.getByRole('heading', { level: 1, name: 'Credentials' }).waitFor()
      await page.keyboard.press('?')
      await dialog().getByRole('heading', { name: 'Keyboard shortcuts' }).waitFor()
      await hasNoBarriers(page, 'the keys')
      // Each key that it tells of a page leads there.
      const told = dialog().locator('section').filter({ has: page.getByRole('heading', { name: 'Go to', exact: true }) })
      const pages = await told.locator('dt').allInnerTexts()
      const keys = (await told.locator('dd').allInnerTexts()).map((text) => text.replaceAll(/\s/g, '').toLowerCase())
      assert.ok(pages.length >= 9)
      await page.keyboard.press('Escape')
      await dialog().waitFor({ state: 'detached' })
      for (const [index, name] of pages.entries()) {
        await page.keyboard.type(keys[index] ?? '')
        await eventually(async () => assert.ok((await page.title()).includes(name) || page.url().endsWith(`/${name.toLowerCase()}`), `${keys[index]}: ${name}`))
      }
    })

    it('says where one is, and the way up', async () => {
      const one = /** @type {typeof items[number]} */ (items[2])
      await page.goto(`/credentials/${one.id}?status=available,in_use,disabled,banned`)
      await dialog().getByRole('heading', { name: one.name }).waitFor()
      await eventually(async () => assert.ok((await page.title()).startsWith(`${one.name} · `)))
      await page.keyboard.press('Escape')
      await page.waitForURL('/credentials?status=available,in_use,disabled,banned')
      await page.goto(`/accounts/story:up`)
      await dialog().waitFor()
      // A narrow screen has no room for them: its detail covers the list and is closed.
      if (!isWide) return
      const crumbs = page.getByRole('navigation', { name: 'Where you are', includeHidden: true })
      await eventually(async () => assert.deepEqual(await crumbs.locator('li').allInnerTexts(), ['Accounts', 'story:up']))
      assert.equal(await crumbs.locator('[aria-current=page]').innerText(), 'story:up')
      assert.equal(await crumbs.locator('a').getAttribute('href'), '/accounts')
    })

    it('adds a credential by hand, and takes it back', async () => {
      const apiId = isWide ? '34500001' : '34500002'
      await visit('/credentials')
      const submit = dialog().getByRole('button', { name: 'Add', exact: false }).last()
      const fill = async (/** @type {string} */ id) => {
        await page.getByRole('button', { name: 'Add', exact: true }).click()
        await dialog().getByLabel('api_id', { exact: true }).fill(id)
        await dialog().getByLabel('api_hash', { exact: true }).fill('ab'.repeat(16))
        await dialog().getByLabel('Name', { exact: true }).fill('By hand')
      }
      await fill('x')
      await submit.click()
      await dialog().getByText('A whole number from 1').waitFor()
      await dialog().getByLabel('api_id', { exact: true }).fill(apiId)
      await submit.click()
      await page.getByText('By hand').first().waitFor()
      await eventually(async () => assert.equal((await server.api(`api-pool/?api_id=${apiId}`)).total, 1))

      // A notice stands in the way of no dialog's button.
      if (isWide) {
        await page.keyboard.type('ga')
        await page.getByRole('button', { name: 'Allocate' }).first().click()
        const button = dialog().getByRole('button', { name: 'Allocate', exact: true })
        await page.getByRole('button', { name: 'Undo', includeHidden: true }).waitFor()
        assert.ok(await button.evaluate((element) => {
          const { x, y, width, height } = element.getBoundingClientRect()
          return element.contains(document.elementFromPoint(x + width / 2, y + height / 2))
        }))
        await dialog().getByRole('button', { name: 'Cancel' }).click()
        await dialog().waitFor({ state: 'detached' })
      }
      await page.getByRole('button', { name: 'Undo' }).click()
      await page.getByText('Undone').first().waitFor()
      assert.equal((await server.api(`api-pool/?api_id=${apiId}`)).total, 0)
    })

    it('tells a time to the second, to whoever comes near, and copies it', async () => {
      await page.goto('/credentials?sort=-last_allocated_at')
      const time = page.locator('#content button:has(time)').first()
      await time.waitFor()
      const at = await time.locator('time').getAttribute('datetime')
      const exact = page.getByRole('tooltip', { name: String(new Date(at ?? '').getUTCFullYear()) }).or(page.locator('[data-slot=content]').getByText(/\d\d:\d\d:\d\d/))
      assert.equal(await exact.count(), 0)
      if (isWide) {
        await time.hover()
        await exact.first().waitFor()
        await page.mouse.move(0, 0)
        await eventually(async () => assert.equal(await exact.count(), 0))
      }
      await time.focus()
      await exact.first().waitFor()
      await hasNoBarriers(page, 'a time')
      await time.click()
      await eventually(async () => assert.equal(await page.evaluate(() => navigator.clipboard.readText()), at))
    })

    it('changes language and theme in the palette, too', async () => {
      await visit('/credentials')
      await palette()
      await page.keyboard.type('繁體')
      await option('繁體中文').click()
      await page.getByRole('heading', { level: 1, name: '憑證' }).waitFor()
      await choose(page, '您的帳號', 'English')
      await page.getByRole('heading', { level: 1, name: 'Credentials' }).waitFor()
    })
  })
}
