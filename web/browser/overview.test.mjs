// The overview as people meet it: an empty pool that leads to the import, then one that is used.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { openPage, startBrowser } from './browser.mjs'
import { fillPool, scored } from './demo.mjs'
import { startServer } from './server.mjs'
import { eventually, fits, hasNoBarriers, signIn, SIZES } from './steps.mjs'

const STATUSES = { Available: 'available', 'In use': 'in_use', Disabled: 'disabled', Banned: 'banned' }
const GRADES = { Excellent: 'excellent', Good: 'good', Fair: 'fair', Poor: 'poor', Critical: 'critical' }

const server = await startServer()
const browser = await startBrowser()
const screens = await Promise.all(
  Object.entries(SIZES).map(async ([size, options]) => ({ size, width: options.viewport.width, ...(await openPage(browser, server.url, options)) })),
)

after(async () => {
  await browser.close()
  await server.stop()
})

/** @param {string} query */
const found = async (query) => (await server.api(`api-pool/?limit=1&${query}`)).total

for (const { width, page, troubles } of screens) {
  describe(`an empty pool at ${width} px`, () => {
    afterEach(() => assert.deepEqual(troubles.splice(0), []))

    it('leads to the import', async () => {
      await page.goto('/')
      await page.waitForURL('/sign-in')
      troubles.length = 0
      await signIn(page)
      await page.getByRole('heading', { name: 'The pool is empty' }).waitFor()
      await hasNoBarriers(page)
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

  for (const { size, width, page, troubles } of screens) {
    describe(`at ${width} px`, () => {
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
        await fits(page)
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
        const account = `+8869123450${width}`
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
        await measured()
        // What the page was told last: it goes on asking.
        /** @type {{ used: number | null, allocated: number, released: number }[]} */
        let points = []
        const told = async (/** @type {import('playwright-core').Response} */ response) => {
          if (!response.url().includes('/trend?hours=24')) return
          // Of a page that is being left there is no answer to read.
          const answer = await response.json().catch(() => null)
          points = answer?.data.points ?? points
        }
        page.on('response', told)
        await page.goto('/')
        await block('Slots').locator('canvas').waitFor()
        const drawing = block('Slots').getByRole('img')
        await eventually(async () => {
          const used = points.findLast((point) => point.used !== null)?.used
          assert.match((await drawing.getAttribute('aria-label')) ?? '', new RegExp(`Slots used over 24 hours: .*${used} now`))
        })

        const chart = block('Allocations').getByRole('group', { name: 'Allocations' })
        await block('Allocations').scrollIntoViewIfNeeded()
        await chart.locator('canvas').waitFor()
        await chart.focus()
        await page.keyboard.press('End')
        await eventually(async () => {
          const { allocated, released } = points.at(-1) ?? {}
          assert.match(await chart.getByRole('status').innerText(), new RegExp(`Allocated ${allocated} · Released ${released}$`))
        })
        await page.keyboard.press('Escape')
        await eventually(async () => assert.equal(await chart.getByRole('status').innerText(), ''))
        page.off('response', told)
      })

      it('puts up no barriers, light or dark', async () => {
        await page.goto('/')
        await block('Success rate').scrollIntoViewIfNeeded()
        await block('Success rate').locator('canvas').waitFor()
        await hasNoBarriers(page)
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

/** Waits until the server has counted, which it does every minute. */
async function measured() {
  for (const until = Date.now() + 90_000; ; await new Promise((resolve) => setTimeout(resolve, 500))) {
    /** @type {{ points: { used: number | null, successes: number }[] }} */
    const { points } = await server.api('api-pool/trend?hours=24')
    // Results and slots may be of two steps.
    if (points.some(({ used }) => used !== null) && points.some(({ successes }) => successes > 0)) return
    if (Date.now() > until) throw new Error('the program has measured nothing')
  }
}
