// The pages as people meet them: the real program, a pool of 120 credentials, a wide and a narrow Chromium.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, afterEach, before, describe, it } from 'node:test'
import { barriers, openPage, startBrowser } from './browser.mjs'
import { COUNT, fillPool, scored } from './demo.mjs'
import { startServer } from './server.mjs'
import { choose, eventually, shownIds, shownRange, signIn, SIZES } from './steps.mjs'

const PAGE_SIZE = 50

/** @type {import('./server.mjs').Server} */
let server
/** @type {import('playwright-core').Browser} */
let browser

before(async () => {
  server = await startServer()
  const built = readFileSync(new URL('../dist/index.html', import.meta.url), 'utf8')
  assert.ok((await (await fetch(server.url)).text()) === built, 'the program embeds other pages than dist/: build it again')
  await fillPool(server.api)
  browser = await startBrowser()
})

after(async () => {
  await browser?.close()
  const log = await server?.stop()
  assert.doesNotMatch(log ?? '', /\bERROR\b/)
})

/**
 * What the API itself answers for a page of the list.
 * @param {Record<string, string>} query
 * @returns {Promise<{ ids: string[], items: Record<string, unknown>[], total: number, next: string }>}
 */
async function asked(query = {}) {
  const { items, total, next_cursor } = await server.api(`api-pool/?${new URLSearchParams({ limit: String(PAGE_SIZE), ...query })}`)
  return { ids: items.map((/** @type {{ api_id: string }} */ { api_id }) => api_id), items, total, next: next_cursor }
}

for (const [size, options] of Object.entries(SIZES)) {
  describe(`at ${options.viewport.width} px`, () => {
    /** @type {import('playwright-core').Page} */
    let page
    /** @type {string[]} */
    let troubles

    const here = () => new URL(page.url())
    const shows = (/** @type {string[]} */ ids) => eventually(async () => assert.deepEqual(await shownIds(page), ids))
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)
    const look = () => page.evaluate(() => ({ lang: document.documentElement.lang, dark: document.documentElement.classList.contains('dark') }))

    before(async () => {
      ;({ page, troubles } = await openPage(browser, server.url, { ...options, reducedMotion: 'reduce', colorScheme: 'light' }))
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
      assert.ok(await fits())
      assert.deepEqual(troubles.splice(0).map((trouble) => /\b401\b/.test(trouble)), [true, true])
    })

    it('shows the newest credentials after signing in, and keeps the token to itself', async () => {
      const [answer] = await Promise.all([page.waitForResponse('/api/admin/login'), signIn(page)])
      const { token } = (await answer.json()).data
      await page.waitForURL('/credentials')
      const { ids, total } = await asked()
      await shows(ids)
      assert.equal(total, COUNT)
      assert.equal(await shownRange(page), `1–${PAGE_SIZE} of ${COUNT}`)
      assert.ok(await fits())
      const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, history.state, location.href]))
      assert.ok(token.length > 20 && !kept.includes(token))
    })

    it('searches, and the address says so', async () => {
      await page.keyboard.press('/')
      await page.keyboard.type('harbour')
      await page.waitForURL('/credentials?q=harbour')
      const { ids, total } = await asked({ q: 'harbour' })
      await shows(ids)
      assert.ok(total > 0 && total < PAGE_SIZE)
      assert.equal(await shownRange(page), `1–${total} of ${total}`)

      await page.getByRole('searchbox').fill('海風 99')
      await page.getByRole('heading', { name: 'Nothing matches “海風 99”' }).waitFor()
      assert.equal(here().searchParams.get('q'), '海風 99')
      await page.getByRole('button', { name: 'Clear search' }).last().click()
      await shows((await asked()).ids)
      assert.equal(here().search, '')
    })

    it('goes back from a search, and comes with an address', async () => {
      await page.getByRole('searchbox').fill('quartz')
      await page.waitForURL('/credentials?q=quartz')
      await page.goBack()
      await page.waitForURL('/credentials')
      await shows((await asked()).ids)
      assert.equal(await page.getByRole('searchbox').inputValue(), '')

      await page.goto('/credentials?q=tern&sort=name')
      await page.waitForURL('/credentials?q=tern&sort=name')
      await shows((await asked({ q: 'tern', sort: 'name' })).ids)
      await page.goto('/')
      await page.waitForURL('/credentials')
    })

    if (size === 'wide') {
      it('sorts by every column that offers it, both ways', async () => {
        await scored(server.api)
        const headers = page.locator('th[aria-sort] button')
        assert.equal(await headers.count(), 6)
        for (const name of await headers.allInnerTexts()) {
          const cell = page.getByRole('columnheader', { name })
          const header = cell.getByRole('button')
          for (const direction of ['ascending', 'descending']) {
            await header.click()
            await eventually(async () => assert.equal(await cell.getAttribute('aria-sort'), direction))
            const sort = here().searchParams.get('sort') ?? ''
            assert.equal(sort.startsWith('-'), direction === 'descending')
            await shows(await sorted(sort))
          }
        }
        await page.goBack()
        await shows((await asked({ sort: here().searchParams.get('sort') ?? '' })).ids)
      })
    } else {
      it('sorts by every order that the menu offers', async () => {
        await scored(server.api)
        await page.getByRole('button', { name: /^Sort/ }).click()
        const entries = await page.locator('[role=menu] [role^=menuitem]').allInnerTexts()
        assert.ok(entries.length >= 6)
        await page.keyboard.press('Escape')
        for (const entry of entries) {
          await choose(page, /^Sort/, entry)
          await page.getByRole('button', { name: `Sort: ${entry}` }).waitFor()
          const sort = here().searchParams.get('sort') ?? '-created_at'
          await shows(await sorted(sort))
        }
      })
    }

    it('leafs through the pages, and the browser’s own buttons do too', async () => {
      await page.goto('/credentials?sort=api_id')
      const first = await asked({ sort: 'api_id' })
      const second = await asked({ sort: 'api_id', cursor: first.next })
      const third = await asked({ sort: 'api_id', cursor: second.next })
      await shows(first.ids)
      const [previous, next] = [page.getByRole('button', { name: 'Previous' }), page.getByRole('button', { name: 'Next' })]
      assert.ok(await previous.isDisabled())
      await next.click()
      await shows(second.ids)
      assert.equal(await shownRange(page), `51–100 of ${COUNT}`)
      await next.click()
      await shows(third.ids)
      assert.equal(await shownRange(page), `101–${COUNT} of ${COUNT}`)
      assert.ok(await next.isDisabled())
      assert.equal(new Set([...first.ids, ...second.ids, ...third.ids]).size, COUNT)
      await previous.click()
      await shows(second.ids)
      await page.goBack()
      await shows(third.ids)
      await page.goBack()
      await shows(second.ids)
      await page.goBack()
      await shows(first.ids)
      await page.goForward()
      await shows(second.ids)
    })

    it('keeps who is signed in, language and theme over a reload', async () => {
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
      assert.ok(await fits())

      await choose(page, '您的帳號', 'English')
      await choose(page, 'Your account', 'System')
      await eventually(async () => assert.deepEqual(await look(), { lang: 'en', dark: false }))
    })

    it('puts no barriers into the list, light or dark', async () => {
      await page.getByRole('searchbox').fill('quartz')
      const { ids, items } = await asked({ q: 'quartz', sort: 'api_id' })
      await shows(ids)
      assert.deepEqual(new Set(items.map(({ status }) => status)), new Set(['available', 'in_use', 'disabled', 'banned']))
      for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
        await page.emulateMedia({ colorScheme })
        await eventually(async () => assert.equal((await look()).dark, colorScheme === 'dark'))
        assert.deepEqual(await barriers(page, 'html'), [], `list, ${colorScheme}`)
        await page.getByRole('button', { name: 'Your account' }).click()
        await page.locator('[role=menu]').waitFor()
        assert.deepEqual(await barriers(page, '[role=menu]'), [], `menu, ${colorScheme}`)
        await page.keyboard.press('Escape')
      }
      await page.emulateMedia({ colorScheme: 'light' })
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
      for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
        await page.emulateMedia({ colorScheme })
        await eventually(async () => assert.equal((await look()).dark, colorScheme === 'dark'))
        assert.deepEqual(await barriers(page, 'html'), [], colorScheme)
      }
    })

    it('shows the documentation of the API, loading nothing from outside', async () => {
      const asked = /** @type {string[]} */ ([])
      page.on('request', (request) => asked.push(new URL(request.url()).origin))
      await page.goto('/docs/')
      await page.getByText('/api/admin/api-pool/allocate', { exact: true }).first().waitFor()
      assert.deepEqual(new Set(asked), new Set([here().origin]))
    })
  })
}

/**
 * The first page in an order, when the API keeps that order over the whole pool.
 * @param {string} sort
 */
async function sorted(sort) {
  const { ids, items } = await asked({ sort, limit: String(COUNT) })
  const field = sort.replace(/^-/, '')
  const values = items.map((item) => (field === 'api_id' ? Number(item[field]) : (item[field] ?? '')))
  const up = sort.startsWith('-') ? values.toReversed() : values
  assert.ok(up.every((value, index) => index === 0 || /** @type {never} */ (up[index - 1]) <= /** @type {never} */ (value)), `${sort}: ${values}`)
  assert.ok(new Set(values).size > 1, `${sort}: all are alike`)
  return ids.slice(0, PAGE_SIZE)
}
