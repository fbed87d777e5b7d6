// Signing in and out, and what stays over a reload: the real program, a wide and a narrow Chromium.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, afterEach, before, describe, it } from 'node:test'
import { openPage, startBrowser } from './browser.mjs'
import { startServer } from './server.mjs'
import { choose, eventually, fits, hasNoBarriers, shownIds, signIn, SIZES } from './steps.mjs'

const server = await startServer()
const built = readFileSync(new URL('../dist/index.html', import.meta.url), 'utf8')
assert.ok((await (await fetch(server.url)).text()) === built, 'the program embeds other pages than dist/: build it again')
const browser = await startBrowser()

after(async () => {
  await browser.close()
  await server.stop()
})

for (const options of Object.values(SIZES)) {
  describe(`at ${options.viewport.width} px`, () => {
    /** @type {import('playwright-core').Page} */
    let page
    /** @type {string[]} */
    let troubles

    const look = () => page.evaluate(() => ({ lang: document.documentElement.lang, dark: document.documentElement.classList.contains('dark') }))

    before(async () => {
      ;({ page, troubles } = await openPage(browser, server.url, options))
    })
    after(() => page?.context().close())
    afterEach(() => assert.deepEqual(troubles.splice(0), []))

    it('asks who is there, and tells a wrong password', async () => {
      await page.goto('/')
      await page.waitForURL('/sign-in')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByText('Enter your password.').waitFor()
      await signIn(page, 'wrong')
      await page.getByRole('alert').getByText('User name or password is wrong').waitFor()
      assert.match(await page.getByRole('alert').innerText(), /Request ID\s+\w{26}/)
      await fits(page)
      assert.deepEqual(troubles.splice(0).map((trouble) => /\b401\b/.test(trouble)), [true, true])
    })

    it('shows the overview after signing in, and keeps the token to itself', async () => {
      const [answer] = await Promise.all([page.waitForResponse('/api/admin/login'), signIn(page)])
      const { token } = (await answer.json()).data
      await page.waitForURL('/')
      await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
      await fits(page)
      const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, history.state, location.href]))
      assert.ok(token.length > 20 && !kept.includes(token))
    })

    it('keeps who is signed in, language and theme over a reload', async () => {
      await page.goto('/credentials')
      await choose(page, 'Your account', '繁體中文')
      await page.getByRole('heading', { level: 1, name: '憑證' }).waitFor()
      await choose(page, '您的帳號', '深色')
      await eventually(async () => assert.deepEqual(await look(), { lang: 'zh-Hant-TW', dark: true }))
      assert.equal(await page.title(), '憑證 · API 對接池')

      await page.reload()
      await page.getByRole('heading', { level: 1, name: '憑證' }).waitFor()
      assert.deepEqual(await look(), { lang: 'zh-Hant-TW', dark: true })
      assert.deepEqual(await page.evaluate(() => Object.keys(localStorage).sort()), ['api-pool.locale', 'api-pool.session', 'api-pool.theme'])
      const [cookie] = await page.context().cookies()
      assert.deepEqual([cookie?.httpOnly, cookie?.sameSite, cookie?.path], [true, 'Strict', '/api/admin'])
      await fits(page)

      await choose(page, '您的帳號', 'English')
      await choose(page, 'Your account', 'System')
      await eventually(async () => assert.deepEqual(await look(), { lang: 'en', dark: false }))
    })

    it('begins an empty pool with importing', async () => {
      await page.getByRole('heading', { name: 'No credentials yet' }).waitFor()
      await hasNoBarriers(page)
      await page.getByRole('link', { name: 'Import credentials' }).click()
      await page.waitForURL('/import')
      await page.goBack()
    })

    it('signs out for good', async () => {
      await choose(page, 'Your account', 'Sign out')
      await page.waitForURL('/sign-in')
      assert.deepEqual(await page.context().cookies(), [])
      await page.goBack()
      await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor()
      assert.deepEqual(await shownIds(page), [])
      await page.goto('/credentials')
      await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor()
    })

    it('puts no barriers into signing in, light or dark', async () => {
      await hasNoBarriers(page)
    })

    it('shows the documentation of the API, loading nothing from outside', async () => {
      const asked = /** @type {string[]} */ ([])
      page.on('request', (request) => asked.push(new URL(request.url()).origin))
      await page.goto('/docs/')
      await page.getByText('/api/admin/api-pool/allocate', { exact: true }).first().waitFor()
      assert.deepEqual(new Set(asked), new Set([new URL(page.url()).origin]))
    })
  })
}
