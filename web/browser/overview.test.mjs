// The overview as people meet it: an empty pool that leads to the import, then one that is used.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { barriers, openPage, startBrowser } from './browser.mjs'
import { fillPool, scored } from './demo.mjs'
import { startServer } from './server.mjs'
import { eventually, signIn, SIZES } from './steps.mjs'

const STATUSES = { Available: 'available', 'In use': 'in_use', Disabled: 'disabled', Banned: 'banned' }
const GRADES = { Excellent: 'excellent', Good: 'good', Fair: 'fair', Poor: 'poor', Critical: 'critical' }

/** @type {import('./server.mjs').Server} */
let server
/** @type {import('playwright-core').Browser} */
let browser
/** @type {{ page: import('playwright-core').Page, troubles: string[] }[]} */
const opened = []

before(async () => {
  server = await startServer()
  browser = await startBrowser()
  for (const options of Object.values(SIZES)) opened.push(await openPage(browser, server.url, { ...options, reducedMotion: 'reduce', colorScheme: 'light' }))
})

after(async () => {
  await browser?.close()
  const log = await server?.stop()
  assert.doesNotMatch(log ?? '', /\bERROR\b/)
})

/** @param {string} query */
const found = async (query) => (await server.api(`api-pool/?limit=1&${query}`)).total

/** @param {import('playwright-core').Page} page */
async function lightAndDark(page) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await page.emulateMedia({ colorScheme })
    await eventually(async () => assert.equal(await page.evaluate(() => document.documentElement.classList.contains('dark')), colorScheme === 'dark'))
    assert.deepEqual(await barriers(page, 'html'), [], colorScheme)
  }
  await page.emulateMedia({ colorScheme: 'light' })
}

/** @param {import('playwright-core').Page} page */
const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)

for (const [index, { viewport }] of Object.values(SIZES).entries()) {
  describe(`an empty pool at ${viewport.width} px`, () => {
    const here = () => /** @type {typeof opened[number]} */ (opened[index])
    afterEach(() => assert.deepEqual(here().troubles.splice(0), []))

    it('leads to the import', async () => {
      const { page, troubles } = here()
      await page.goto('/')
      await page.waitForURL('/sign-in')
      troubles.length = 0
      await signIn(page)
      await page.getByRole('heading', { name: 'The pool is empty' }).waitFor()
      assert.ok(await fits(page))
      await lightAndDark(page)
      await page.getByRole('main').getByRole('link', { name: 'Import' }).click()
      await page.waitForURL('/import')
      await page.goBack()
      await page.getByRole('heading', { name: 'The pool is empty' }).waitFor()
    })
  })
}

describe('a pool that fills', () => {
  before(async () => {
    await fillPool(server.api)
    await scored(server.api)
  })

  for (const [index, [size, { viewport }]] of Object.entries(SIZES).entries()) {
    describe(`at ${viewport.width} px`, () => {
      /** @type {import('playwright-core').Page} */
      let page
      /** @type {string[]} */
      let troubles
      before(() => void ({ page, troubles } = /** @type {typeof opened[number]} */ (opened[index])))
      afterEach(() => assert.deepEqual(troubles.splice(0), []))

      const block = (/** @type {string} */ name) => page.getByRole('region', { name, exact: true })
      const figure = async (/** @type {import('playwright-core').Locator} */ link) => Number((await link.locator('[data-figure]').innerText()).replaceAll(',', ''))
      const tile = (/** @type {string} */ name) => page.getByRole('list', { name: 'Figures' }).getByRole('link', { name })

      it('shows by itself how it stands', async () => {
        await page.getByText(/slots used/).first().waitFor()
        const { used, slots, free } = await server.api('api-pool/stats?hours=24')
        await eventually(async () => assert.match(await page.locator('[data-verdict]').innerText(), new RegExp(`\\. ${used} of ${slots} slots used`)))
        assert.equal(await figure(tile('Slots used')), used)
        assert.match(await tile('Slots used').innerText(), new RegExp(`${free} free`))
        assert.ok(await fits(page))
      })

      it('has figures that lead to as many credentials', async () => {
        await page.goto('/')
        for (const [name, status] of Object.entries(STATUSES)) {
          const count = await figure(tile(name))
          assert.equal(count, await found(`status=${status}`), name)
          await follow(tile(name), `/credentials?status=${status}`, count)
        }
        for (const [name, grade] of Object.entries(GRADES)) {
          const link = block('Health').getByRole('link', { name })
          const count = await found(`health_grade=${grade}`)
          await eventually(async () => assert.equal(await figure(link), count, name))
          await follow(link, `/credentials?health_grade=${grade}`, count)
        }
      })

      it('names the worst, why, and the way to each', async () => {
        await page.goto('/')
        const { items } = await server.api('api-pool/?limit=6&health_grade=fair,poor,critical&status!=disabled&sort=health_score')
        const rows = block('Worst credentials').getByRole('listitem')
        await eventually(async () => assert.equal(await rows.count(), items.length))
        const texts = await rows.allInnerTexts()
        for (const [at, { name, api_id, ban_reason }] of items.entries()) {
          assert.ok(texts[at]?.includes(name) && texts[at]?.includes(api_id), texts[at])
          assert.match(texts[at] ?? '', ban_reason === null ? /results failed|in a row|Cooling|low score/ : new RegExp(`Banned: ${ban_reason}`))
        }
        await rows.first().getByRole('link').click()
        await page.waitForURL(`/credentials/${items[0].id}`)
        await page.goBack()
        await rows.first().waitFor()
      })

      it('tells what happens as it happens', async () => {
        await page.goto('/')
        const list = block('Recent events').getByRole('listitem')
        await list.first().waitFor()
        if (size === 'wide') await list.first().hover()
        const account = `+88691234500${index}`
        const { api_id } = await server.api('api-pool/allocate', { account_id: account })
        if (size === 'wide') {
          // What is under the pointer stays there.
          await block('Recent events').getByRole('button', { name: /^Show \d+ new/ }).waitFor()
          assert.equal(await list.filter({ hasText: account }).count(), 0)
          await page.getByRole('heading', { level: 1 }).hover()
        }
        await list.filter({ hasText: account }).waitFor()
        const [first] = await list.allInnerTexts()
        assert.ok(first?.startsWith('Allocated') && first.includes(account) && first.includes(api_id), first)
        const { used } = await server.api('api-pool/stats?hours=24')
        await eventually(async () => assert.equal(await figure(tile('Slots used')), used))
      })

      it('looks back as far as one likes, and the address says so', async () => {
        await page.goto('/')
        const range = page.getByRole('navigation', { name: 'Period' })
        for (const [name, hours] of /** @type {const} */ ([['7 d', 168], ['30 d', 720]])) {
          const answer = page.waitForResponse((response) => response.url().includes(`/api-pool/trend?hours=${hours}`))
          await range.getByRole('link', { name }).click()
          await page.waitForURL(`/?range=${name.replace(' ', '')}`)
          assert.equal((await answer).status(), 200)
          assert.equal(await range.locator('[aria-current]').innerText(), name)
        }
        await page.goBack()
        await page.waitForURL('/?range=7d')
        await range.getByRole('link', { name: '24 h' }).click()
        await page.waitForURL('/')
      })

      it('draws what was measured, and says it to those who don’t see it', async () => {
        const { points } = await measured()
        await page.goto('/')
        await block('Slots').locator('canvas').waitFor()
        const drawing = block('Slots').getByRole('img')
        const used = points.findLast((/** @type {{ used: number | null }} */ point) => point.used !== null)?.used
        await eventually(async () => assert.match((await drawing.getAttribute('aria-label')) ?? '', new RegExp(`Slots used over 24 hours: .*${used} now`)))

        const chart = block('Allocations').getByRole('group', { name: 'Allocations' })
        await block('Allocations').scrollIntoViewIfNeeded()
        await chart.locator('canvas').waitFor()
        await chart.focus()
        await page.keyboard.press('End')
        const { allocated, released } = points.at(-1)
        await eventually(async () => assert.match(await chart.getByRole('status').innerText(), new RegExp(`Allocated ${allocated} · Released ${released}$`)))
        await page.keyboard.press('Escape')
        await eventually(async () => assert.equal(await chart.getByRole('status').innerText(), ''))
      })

      it('puts up no barriers, light or dark', async () => {
        await page.goto('/')
        await block('Success rate').scrollIntoViewIfNeeded()
        await block('Success rate').locator('canvas').waitFor()
        await lightAndDark(page)
        assert.ok(await fits(page))
      })

      /**
       * @param {import('playwright-core').Locator} link
       * @param {string} address
       * @param {number} count
       */
      async function follow(link, address, count) {
        await link.click()
        await page.waitForURL(address)
        if (count > 0) await eventually(async () => assert.match(await page.locator('#content nav [role=status]').innerText(), new RegExp(` of ${count}$`)))
        await page.goBack()
        await page.getByRole('list', { name: 'Figures' }).getByRole('link').first().waitFor()
      }
    })
  }
})

/** The trend, once the server has counted: it does so every minute. */
async function measured() {
  for (const until = Date.now() + 90_000; ; await new Promise((resolve) => setTimeout(resolve, 500))) {
    const trend = await server.api('api-pool/trend?hours=24')
    if (trend.points.some((/** @type {{ used: number | null, successes: number }} */ { used, successes }) => used !== null && successes > 0)) return trend
    if (Date.now() > until) throw new Error('the program has measured nothing')
  }
}
