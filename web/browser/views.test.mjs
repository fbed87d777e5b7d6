// Narrowing credentials down: filters, columns and saved views, on the real program.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { openPage, startBrowser } from './browser.mjs'
import { fillPool } from './demo.mjs'
import { startServer } from './server.mjs'
import { choose, eventually, hasNoBarriers, shownRange, showsFirst, signIn, SIZES } from './steps.mjs'

const server = await startServer()
await fillPool(server.api)
await server.api('api-pool/', { api_id: '77001', api_hash: 'ab'.repeat(16), name: 'Tagged', tags: ['night', 'eu'], is_premium: true, min_member_level: 'gold' })
const browser = await startBrowser()

after(async () => {
  await browser.close()
  await server.stop()
})

/** @param {Record<string, string>} query */
async function asked(query = {}) {
  const { items, total } = await server.api(`api-pool/?${new URLSearchParams({ limit: '100', ...query })}`)
  /** @type {{ id: string, api_id: string, name: string, status: string, current_accounts: number, group_name: string | null }[]} */
  const rows = items
  return { rows, ids: rows.map(({ api_id }) => api_id), total }
}

for (const [size, options] of Object.entries(SIZES)) {
  describe(`at ${options.viewport.width} px`, () => {
    const isWide = size === 'wide'
    /** @type {import('playwright-core').Page} */
    let page
    /** @type {string[]} */
    let troubles

    const here = () => new URL(page.url())
    const dialog = () => page.getByRole('dialog')
    const notice = (/** @type {string | RegExp} */ text) => page.getByText(text, { exact: typeof text === 'string' }).first()

    /** @param {Record<string, string>} query */
    async function shows(query) {
      const { ids, total } = await asked(query)
      await showsFirst(page, ids)
      if (total > 0) assert.match(await shownRange(page), new RegExp(`of ${total}$`))
    }

    before(async () => {
      ;({ page, troubles } = await openPage(browser, server.url, options))
      await page.goto('/credentials')
      await signIn(page)
      await page.waitForURL('/credentials')
    })
    after(() => page?.context().close())
    afterEach(() => assert.deepEqual(troubles.splice(0), []))

    it('filters by what is and by what is not, and the address says so', async () => {
      if (!isWide) await page.getByRole('button', { name: 'Filters' }).click()
      const filters = page.getByRole('group', { name: 'Filters' })
      await filters.getByRole('button', { name: 'Status' }).click()
      await page.getByRole('menuitemcheckbox', { name: 'Banned' }).click()
      await page.getByRole('menuitemcheckbox', { name: 'Disabled' }).click()
      await page.getByRole('menuitem', { name: 'All but these' }).click()
      await filters.getByRole('button', { name: 'Status: not Disabled, Banned' }).waitFor()
      assert.equal(here().searchParams.get('status!'), 'banned,disabled')
      await shows({ 'status!': 'banned,disabled' })

      await filters.getByRole('button', { name: 'Group' }).click()
      await page.getByRole('menuitemcheckbox', { name: '備援' }).click()
      await page.keyboard.press('Escape')
      const group = here().searchParams.get('group_id') ?? ''
      await shows({ 'status!': 'banned,disabled', group_id: group })
      await filters.getByRole('button', { name: 'Clear filters' }).click()
      await shows({})

      await filters.getByRole('button', { name: 'Tags' }).click()
      await page.getByRole('textbox', { name: /^Tag/ }).fill('night, day')
      await page.keyboard.press('Enter')
      await showsFirst(page, ['77001'])
      assert.equal(here().searchParams.get('tags'), 'night,day')
      await hasNoBarriers(page, 'filters')
      await page.getByRole('button', { name: 'Without these' }).click()
      await shows({ 'tags!': 'night,day' })
      await page.keyboard.press('Escape')
      await page.goBack()
      await showsFirst(page, ['77001'])

      await page.goto('/credentials?is_premium=true&min_member_level=gold,star&health_grade!=poor')
      await showsFirst(page, ['77001'])
      if (!isWide) await page.getByRole('button', { name: 'Filters, 3 active' }).click()
      await filters.getByRole('button', { name: 'Premium: Premium only' }).waitFor()
      await filters.getByRole('button', { name: 'Clear filters' }).click()
      await shows({})
      assert.equal(here().search, '')
    })

    it('shows that a filter is in force, also one that nobody offers any more', async () => {
      await page.goto('/credentials?group_id=gone')
      await page.getByText('Nothing matches').waitFor()
      if (!isWide) await page.getByRole('button', { name: 'Filters, 1 active' }).click()
      const filters = page.getByRole('group', { name: 'Filters' })
      await filters.getByRole('button', { name: 'Group: 1 chosen' }).click()
      const gone = page.getByRole('menuitemcheckbox', { name: 'gone' })
      assert.equal(await gone.getAttribute('aria-checked'), 'true')
      await gone.click()
      await page.waitForURL('/credentials')
      await page.keyboard.press('Escape')
      await filters.getByRole('button', { name: 'Group', exact: true }).waitFor()
      if (!isWide) await page.keyboard.press('Escape')
      await shows({})
    })

    if (isWide) {
      it('shows the columns that are chosen, here and behind a link', async () => {
        const headers = async () => (await page.getByRole('columnheader').allInnerTexts()).map((text) => text.trim()).filter((text) => text !== '')
        await page.getByRole('button', { name: 'Display', exact: true }).click()
        await page.getByRole('checkbox', { name: 'Slots' }).click()
        await page.getByRole('checkbox', { name: 'Tags' }).click()
        await page.getByRole('checkbox', { name: 'Note' }).click()
        await page.getByRole('button', { name: 'Dense' }).click()
        const wanted = ['api_id', 'Name', 'Status', 'Success / fail', 'Health', 'Group', 'Last allocated', 'Tags', 'Note']
        await eventually(async () => assert.deepEqual(await headers(), wanted))
        await hasNoBarriers(page, 'view menu')
        await page.keyboard.press('Escape')
        const address = here().pathname + here().search
        assert.equal(here().searchParams.get('columns'), 'apiId,name,status,results,health,group,lastAllocated,tags,note')
        assert.equal((await page.getByRole('row').nth(1).boundingBox())?.height, 32)

        await page.goto('/credentials?q=tagged')
        await eventually(async () => assert.deepEqual(await headers(), wanted))
        assert.ok(here().searchParams.has('columns'))

        const { page: other } = await openPage(browser, server.url, options)
        await other.goto(address)
        await signIn(other)
        await other.getByRole('columnheader', { name: 'Note' }).waitFor()
        await other.context().close()

        await page.getByRole('button', { name: 'Display', exact: true }).click()
        await page.getByRole('button', { name: 'Back to the usual columns' }).click()
        await page.getByRole('button', { name: 'Normal' }).click()
        await page.keyboard.press('Escape')
        await eventually(async () => assert.equal(here().search, '?q=tagged'))
      })
    }

    it('keeps views, brings them back, changes and deletes them', async () => {
      await page.goto('/credentials?q=tern&status!=banned&sort=name')
      await choose(page, 'Views', 'Save as a new view')
      await dialog().getByRole('button', { name: 'Save' }).click()
      await dialog().getByText('Enter a name.').waitFor()
      await dialog().getByRole('textbox').fill('Terns')
      await hasNoBarriers(page, 'saving a view')
      await page.keyboard.press('Enter')
      await page.getByRole('button', { name: 'View: Terns' }).waitFor()
      const [view] = (await server.api('views?page=credentials')).items
      assert.equal(view.name, 'Terns')
      assert.deepEqual([view.definition.q, view.definition['status!'], view.definition.sort], ['tern', 'banned', 'name'])

      await page.goto('/credentials')
      await choose(page, 'Views', 'Terns')
      await shows({ q: 'tern', 'status!': 'banned', sort: 'name' })
      assert.equal(here().search, '?q=tern&status!=banned&sort=name')
      await page.getByRole('searchbox').fill('quartz')
      await page.getByRole('button', { name: 'Views' }).waitFor()
      await choose(page, 'Views', 'Update “Terns”')
      await notice('View “Terns” updated').waitFor()
      await eventually(async () => assert.equal((await server.api('views?page=credentials')).items[0].definition.q, 'quartz'))
      await choose(page, 'View: Terns', 'Delete “Terns”')
      await notice('View “Terns” deleted').waitFor()
      await eventually(async () => assert.equal((await server.api('views?page=credentials')).total, 0))
    })
  })
}
