// A new administrator's first day, in one go: from an empty pool to signing out. In both languages, in light and dark, on
// a wide and a narrow screen.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, afterEach, before, describe, it } from 'node:test'
import { barriers, openPage, startBrowser } from './browser.mjs'
import { startServer } from './server.mjs'
import { choose, closeNotices, eventually, fits, signIn, SIZES } from './steps.mjs'
import { wordsIn } from './words.mjs'

const LINES = 1_000
const ACCOUNT = '+8613800000001'
const FILE = Array.from({ length: LINES }, (_, at) => `${10_000_001 + at}:${createHash('sha256').update(String(at)).digest('hex').slice(0, 32)}:Number ${at}`)

/** Each two of screen, language and theme meet. */
const DAYS = /** @type {const} */ ([
  { screen: 'wide', locale: 'en', colorScheme: 'light' },
  { screen: 'wide', locale: 'zh-TW', colorScheme: 'dark' },
  { screen: 'narrow', locale: 'en', colorScheme: 'dark' },
  { screen: 'narrow', locale: 'zh-TW', colorScheme: 'light' },
])

const browser = await startBrowser()
after(() => browser.close())

for (const { screen, locale, colorScheme } of DAYS) {
  describe(`${screen}, ${locale}, ${colorScheme}`, () => {
    const t = wordsIn(locale)
    const count = (/** @type {number} */ value) => new Intl.NumberFormat(locale).format(value)
    /** @type {import('./server.mjs').Server} */
    let server
    /** @type {import('playwright-core').Page} */
    let page
    /** @type {string[]} */
    let troubles
    /** The credential that the account was given. @type {Record<string, any>} */
    let own

    const dialog = () => page.getByRole('dialog').last()
    const button = (/** @type {string} */ key, named = {}, /** @type {number | undefined} */ n = undefined) => page.getByRole('button', { name: t(key, named, n), exact: true })
    const inDialog = (/** @type {string} */ key, named = {}, /** @type {number | undefined} */ n = undefined) => dialog().getByRole('button', { name: t(key, named, n), exact: true })
    const heading = (/** @type {string} */ key, named = {}, /** @type {number | undefined} */ n = undefined) => page.getByRole('heading', { name: t(key, named, n), exact: true })
    const held = () => server.api(`api-pool/account?account_id=${encodeURIComponent(ACCOUNT)}`)

    /** Nothing in the way of anybody, nothing wider than the screen. @param {string} what */
    async function isFine(what, within = 'html') {
      await page.locator(within).last().waitFor()
      await page.mouse.move(1, 1)
      assert.deepEqual(await barriers(page, within), [], what)
      await fits(page, what)
      assert.doesNotMatch(await page.locator('body').innerText(), /\b(?:common|session|overview|credentials|accounts|groups|rules|history|settings)\.[a-z]\w*\.?\w*/, `${what} has its texts`)
    }

    /** By the sidebar, which a narrow screen keeps behind a button. @param {string} key */
    async function go(key) {
      if (screen === 'narrow') await page.getByRole('button', { name: t('common.menu') }).click()
      await page.getByRole('navigation', { name: t('common.navigation') }).getByRole('link', { name: t(key), exact: true }).click()
      await page.getByRole('heading', { level: 1, name: t(key) }).waitFor()
    }

    before(async () => {
      server = await startServer()
      ;({ page, troubles } = await openPage(browser, server.url, {
        ...SIZES[screen],
        locale: locale === 'en' ? 'en-US' : locale,
        colorScheme,
        acceptDownloads: true,
        permissions: ['clipboard-read', 'clipboard-write'],
      }))
    })
    after(async () => {
      await page?.context().close()
      await server?.stop()
    })
    afterEach(async () => {
      assert.deepEqual(troubles.splice(0), [])
      await closeNotices(page)
    })

    it('meets an empty pool that says what comes first', async () => {
      await page.goto('/')
      await signIn(page)
      await heading('overview.first.title').waitFor()
      await isFine('first run')
      await page.getByRole('link', { name: t('overview.first.import.action'), exact: true }).click()
      await page.getByRole('heading', { level: 1, name: t('credentials.import.title') }).waitFor()
    })

    it('imports a thousand, having seen what becomes of each', async () => {
      const [chooser] = await Promise.all([page.waitForEvent('filechooser'), button('credentials.import.source.choose').click()])
      await chooser.setFiles({ name: 'pool.txt', mimeType: 'text/plain', buffer: Buffer.from(FILE.join('\n')) })
      await button('credentials.import.preview').click()
      await button('credentials.import.submit', { n: count(LINES) }, LINES).waitFor()
      assert.equal((await server.api('api-pool/')).total, 0)
      await isFine('preview of the import')
      await button('credentials.import.submit', { n: count(LINES) }, LINES).click()
      await heading('credentials.import.done', { n: count(LINES) }, LINES).waitFor()
      assert.equal((await server.api('api-pool/')).total, LINES)
    })

    it('allocates by hand', async () => {
      await go('accounts.title')
      await button('accounts.allocate.title').first().click()
      await dialog().locator('[name=account]').fill(ACCOUNT)
      await inDialog('accounts.allocate.submit').click()
      await dialog().getByText('•'.repeat(16)).waitFor()
      await isFine('what was allocated', '[role=dialog]')
      const { api_id } = await held()
      await dialog().getByText(api_id, { exact: true }).first().waitFor()
      ;({
        items: [own],
      } = await server.api(`api-pool/?api_id=${api_id}`))
      await page.keyboard.press('Escape')
      await dialog().waitFor({ state: 'detached' })
    })

    it('finds out why a credential would be chosen', async () => {
      await go('accounts.preview.title')
      await page.locator('[name=account]').fill('+8613800000002')
      const { chosen } = await server.api('api-pool/allocate/preview', { account_id: '+8613800000002' })
      await page.getByText(t('accounts.outcome.gets', { account: '+8613800000002' })).waitFor()
      await page.getByRole('link', { name: chosen.api_id }).first().waitFor()
      await page.getByRole('heading', { name: t('accounts.ranking.title') }).waitFor()
      await isFine('the preview')
    })

    it('disables one, and sees its accounts stay', async () => {
      await page.goto(`/credentials/${own.id}`)
      await page.getByRole('dialog', { name: own.name }).waitFor()
      await inDialog('credentials.actions.disable.menu').click()
      await dialog().getByText(t('credentials.actions.disable.hint', { n: 1 }, 1)).waitFor()
      await inDialog('credentials.actions.disable.submit').click()
      await eventually(async () => assert.equal((await server.api(`api-pool/${own.id}`)).status, 'disabled'))
      await page.getByRole('tab', { name: t('credentials.panel.tab.accounts', { n: 1 }) }).click()
      await dialog().getByRole('link', { name: ACCOUNT }).waitFor()
      assert.equal((await held()).api_id, own.api_id)
      await isFine('the detail', '[role=dialog]')
      await closeNotices(page)
      await page.keyboard.press('Escape')
      await page.waitForURL('/credentials')
    })

    it('acts on all that a filter finds, having been told what that touches', async () => {
      await page.goto('/credentials?q=Number 99')
      const { total } = await server.api('api-pool/?q=Number 99')
      await page.getByRole('checkbox', { name: /Number 99/ }).first().click()
      const bar = page.getByRole('region', { name: t('credentials.bulk.label') })
      if (screen === 'wide') await page.getByRole('checkbox', { name: t('common.selection.page') }).click()
      else await button('common.selection.page').click()
      await bar.getByText(t('credentials.bulk.selected', { n: total }, total)).waitFor()
      if (screen === 'wide') await bar.getByRole('button', { name: t('credentials.bulk.disable.action') }).click()
      else await choose(page, new RegExp(`^${t('credentials.bulk.actions')}$`), t('credentials.bulk.disable.action'))
      await isFine('what it touches', '[role=dialog]')
      await inDialog('credentials.bulk.disable.submit', { n: total }, total).click()
      await eventually(async () => assert.equal((await server.api('api-pool/?q=Number 99&status=disabled')).total, total))
    })

    it('exports what the list shows', async () => {
      await page.goto('/credentials?status=disabled')
      const { total } = await server.api('api-pool/?status=disabled')
      await page.getByRole('checkbox', { name: /Number/ }).first().waitFor()
      if (screen === 'wide') await button('credentials.list.export').click()
      else await choose(page, t('credentials.list.more'), t('credentials.list.export'))
      await isFine('the export', '[role=dialog]')
      const [download] = await Promise.all([page.waitForEvent('download'), inDialog('credentials.export.submit').click()])
      const lines = readFileSync(await download.path(), 'utf8').trim().split(/\r?\n/)
      assert.equal(lines.length, 1 + total)
      assert.ok(FILE.every((line) => !lines.join().includes(line.split(':')[1] ?? '')))
    })

    it('makes a rule, tried before it is saved', async () => {
      await go('rules.title')
      await button('rules.add').first().click()
      const match = dialog().getByRole('group', { name: t('rules.form.who') })
      await match.getByLabel(t('rules.form.account')).fill('test:*')
      await dialog().getByRole('radio', { name: new RegExp(t('rules.effect.deny.label')) }).click()
      await dialog().getByRole('radio', { name: t('rules.form.targetNone') }).click()
      await button('rules.trial.run').click()
      await dialog().getByText(t('rules.trial.nowRefused')).waitFor()
      await isFine('the rule', '[role=dialog]')
      await dialog().getByLabel(t('rules.form.name')).fill('No tests')
      await inDialog('rules.form.add').click()
      await eventually(async () => assert.deepEqual((await server.api('api-pool/rules')).items.map((/** @type {{ name: string }} */ { name }) => name), ['No tests']))
    })

    it('issues a token, which is shown once and works', async () => {
      await page.goto('/settings/tokens')
      await button('settings.tokens.issue').first().click()
      await dialog().getByLabel(t('settings.tokens.form.product')).fill('my-app')
      await inDialog('settings.tokens.issue').click()
      const token = dialog().getByText(/^svc_my-app_\S+$/)
      const secret = await token.innerText()
      await isFine('the token', '[role=dialog]')
      await inDialog('common.copy', { what: t('settings.tokens.token') }).click()
      await inDialog('common.copied').waitFor()
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret)
      await dialog().getByRole('checkbox', { name: t('settings.once.kept') }).click()
      await inDialog('settings.once.close').click()
      await dialog().waitFor({ state: 'detached' })
      assert.ok(!(await page.content()).includes(secret))
      const response = await fetch(`${server.url}/api/admin/api-pool/account?account_id=${encodeURIComponent(ACCOUNT)}`, { headers: { 'X-Service-Token': secret } })
      assert.equal((await response.json()).data.api_id, own.api_id)
    })

    it('sees all of it in the overview, the history and the audit trail', async () => {
      await go('overview.title')
      const { slots } = await server.api('api-pool/stats')
      assert.ok(slots < 5 * LINES)
      await page.getByText(count(slots)).first().waitFor()
      await isFine('the overview')
      await go('history.title')
      await page.getByText(t('history.action.batch_imported')).first().waitFor()
      await isFine('the history')
      await go('history.audit.title')
      await page.getByText(t('history.action.token_issued')).first().waitFor()
      await isFine('the audit trail')
    })

    it('signs out', async () => {
      await choose(page, t('common.account'), t('common.signOut'))
      await page.waitForURL('/sign-in')
      await isFine('signing in')
      assert.deepEqual(await page.context().cookies(), [])
    })
  })
}
