// Finding credentials: the real program, a pool of 120 of them, a wide and a narrow Chromium.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, afterEach, before, describe, it } from 'node:test'
import { openPage, startBrowser } from './browser.mjs'
import { COUNT, fillPool, scored } from './demo.mjs'
import { startServer } from './server.mjs'
import { choose, eventually, fits, hasNoBarriers, shownIds, shownRange, showsFirst, signIn, SIZES } from './steps.mjs'

const PAGE_SIZE = 100

const server = await startServer()
const built = readFileSync(new URL('../dist/index.html', import.meta.url), 'utf8')
assert.ok((await (await fetch(server.url)).text()) === built, 'the program embeds other pages than dist/: build it again')
await fillPool(server.api)
const browser = await startBrowser()

after(async () => {
  await browser.close()
  await server.stop()
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
    const shows = (/** @type {string[]} */ ids) => showsFirst(page, ids)

    before(async () => {
      ;({ page, troubles } = await openPage(browser, server.url, options))
    })
    after(() => page?.context().close())
    afterEach(() => assert.deepEqual(troubles.splice(0), []))

    it('shows the newest credentials, and draws those in view only', async () => {
      await page.goto('/credentials')
      await signIn(page)
      await page.waitForURL('/credentials')
      const { ids, total } = await asked()
      await shows(ids)
      assert.equal(total, COUNT)
      assert.equal(await shownRange(page), `1–${PAGE_SIZE} of ${COUNT}`)
      assert.ok((await shownIds(page)).length < PAGE_SIZE)
      await fits(page)

      const seen = new Set()
      for (let last = ''; last !== ids.at(-1); ) {
        const shown = await shownIds(page)
        for (const id of shown) seen.add(id)
        last = shown.at(-1) ?? ''
        await page.locator('[data-scroller]').evaluate((scroller) => scroller.scrollBy(0, 400))
        await page.waitForTimeout(50)
      }
      assert.deepEqual([...seen], ids)
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
      await page.goto('/credentials')
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
      await page.getByRole('button', { name: 'Display', exact: true }).click()
      await page.getByRole('button', { name: '50', exact: true }).click()
      await page.keyboard.press('Escape')
      const first = await asked({ sort: 'api_id', limit: '50' })
      const second = await asked({ sort: 'api_id', limit: '50', cursor: first.next })
      const third = await asked({ sort: 'api_id', limit: '50', cursor: second.next })
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

    it('shows the rows at which one stands, also when the window gets another shape', async () => {
      await page.goto('/credentials?sort=api_id')
      const { ids } = await asked({ sort: 'api_id' })
      await shows(ids)
      const scroller = page.locator('[data-scroller]')
      await scroller.evaluate((element) => element.scrollTo(0, 1_200))
      const inView = () =>
        scroller.evaluate((element) => {
          const { top, bottom } = element.getBoundingClientRect()
          return [...element.querySelectorAll('code')].filter((code) => code.getBoundingClientRect().top > top && code.getBoundingClientRect().bottom < bottom).length
        })
      for (const width of [800, 1440, options.viewport.width]) {
        await page.setViewportSize({ ...options.viewport, width })
        await eventually(async () => assert.ok((await inView()) > 2, `${width} px`))
        await page.waitForTimeout(400)
        assert.ok((await inView()) > 2, `${width} px, a little later`)
      }
    })

    it('puts no barriers into the list, light or dark', async () => {
      await page.getByRole('searchbox').fill('quartz')
      const { ids, items } = await asked({ q: 'quartz', sort: 'api_id' })
      await shows(ids)
      assert.deepEqual(new Set(items.map(({ status }) => status)), new Set(['available', 'in_use', 'disabled', 'banned']))
      await hasNoBarriers(page, 'list')
      await page.getByRole('button', { name: 'Your account' }).click()
      await page.locator('[role=menu]').waitFor()
      await hasNoBarriers(page, 'menu')
      await page.keyboard.press('Escape')
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
