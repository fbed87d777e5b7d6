// Working with many credentials: selecting, bulk actions and export, on the real program.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, afterEach, before, describe, it } from 'node:test'
import { openPage, startBrowser } from './browser.mjs'
import { COUNT, fillPool } from './demo.mjs'
import { startServer } from './server.mjs'
import { choose, eventually, hasNoBarriers, shownRange, showsFirst, signIn, SIZES } from './steps.mjs'

const server = await startServer()
await fillPool(server.api)
await server.api('api-pool/', { api_id: '77001', api_hash: 'ab'.repeat(16), name: 'Tagged', tags: ['night', 'eu'], is_premium: true, min_member_level: 'gold', note: '=1+1' })
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

    const dialog = () => page.getByRole('dialog')
    const bar = () => page.getByRole('region', { name: 'Selection' })
    const notice = (/** @type {string | RegExp} */ text) => page.getByText(text, { exact: typeof text === 'string' }).first()

    /** @param {Record<string, string>} query */
    async function shows(query) {
      const { ids, total } = await asked(query)
      await showsFirst(page, ids)
      if (total > 0) assert.match(await shownRange(page), new RegExp(`of ${total}$`))
    }

    /** @param {string} action */
    async function act(action) {
      if (isWide) await bar().getByRole('button', { name: action }).click()
      else await choose(page, /^Actions$/, action)
      await dialog().waitFor()
    }

    before(async () => {
      ;({ page, troubles } = await openPage(browser, server.url, { ...options, acceptDownloads: true }))
      await page.goto('/credentials')
      await signIn(page)
      await page.waitForURL('/credentials')
    })
    after(() => page?.context().close())
    afterEach(() => assert.deepEqual(troubles.splice(0), []))

    it('keeps what is ticked over pages and drops it with another search', async () => {
      await page.goto('/credentials')
      const { rows } = await asked({ q: '' })
      for (const { name } of rows.slice(0, 2)) await page.getByRole('checkbox', { name: `Select ${name}`, exact: true }).click()
      await bar().getByText('2 selected').waitFor()
      await page.getByRole('button', { name: 'Next' }).click()
      await eventually(async () => assert.match(await shownRange(page), /^101–/))
      await bar().getByText('2 selected').waitFor()
      await page.goBack()
      await eventually(async () => assert.equal(await page.getByRole('checkbox', { name: `Select ${rows[0]?.name}`, exact: true }).isChecked(), true))
      await page.getByRole('searchbox').fill('tern')
      await bar().waitFor({ state: 'detached' })
    })

    it('drops from what is ticked what somebody else deletes', async () => {
      const extra = await server.api('api-pool/', { api_id: isWide ? '77002' : '77003', api_hash: 'cd'.repeat(16), name: 'Passing' })
      await page.goto('/credentials?q=a')
      const { rows } = await asked({ q: 'a' })
      for (const { name } of rows.slice(0, 2)) await page.getByRole('checkbox', { name: `Select ${name}`, exact: true }).check()
      await bar().getByText('2 selected').waitFor()
      await server.api('api-pool/bulk', { ids: [extra.id], action: 'delete' })
      await bar().getByText('1 selected').waitFor()
      await page.getByRole('checkbox', { name: 'Select Passing' }).waitFor()
      await page.getByRole('button', { name: 'Show', exact: true }).click()
      await page.getByRole('checkbox', { name: 'Select Passing' }).waitFor({ state: 'detached' })
    })

    it('disables what is ticked, having said what that touches, and takes it back', async () => {
      await page.goto('/credentials?q=juniper')
      const { rows } = await asked({ q: 'juniper' })
      const chosen = rows.slice(0, 3)
      for (const { name } of chosen) await page.getByRole('checkbox', { name: `Select ${name}`, exact: true }).click()
      await act('Disable')
      const accounts = chosen.reduce((sum, { current_accounts }) => sum + current_accounts, 0)
      await dialog().getByText(`3 credentials · held by ${accounts} account${accounts === 1 ? '' : 's'}`).waitFor()
      const enabled = chosen.filter(({ status }) => status === 'available' || status === 'in_use')
      await hasNoBarriers(page, 'disabling')
      await dialog().getByRole('button', { name: `Disable ${enabled.length}` }).click()
      await notice(/are disabled/).waitFor()
      const statuses = async () => (await asked({ q: 'juniper' })).rows.slice(0, 3).map(({ status }) => status)
      assert.deepEqual(await statuses(), chosen.map(({ status }) => (status === 'banned' ? status : 'disabled')))
      await page.getByRole('button', { name: 'Undo' }).click()
      await notice('Undone').waitFor()
      await eventually(async () => assert.deepEqual(await statuses(), chosen.map(({ status }) => status)))
      await bar().waitFor({ state: 'detached' })
    })

    it('assigns everything that matches to a group, also what no page shows, and brings each back', async () => {
      await page.goto('/credentials?status!=banned')
      const before = await server.api('api-pool/?limit=500&status!=banned')
      if (isWide) await page.getByRole('checkbox', { name: 'Select all on this page' }).click()
      else {
        await page.getByRole('checkbox', { name: /^Select/ }).first().click()
        await page.getByRole('button', { name: 'Select all on this page' }).click()
      }
      await page.getByRole('button', { name: `Select all ${before.total} that match` }).click()
      await bar().getByText(`All ${before.total} that match selected`).waitFor()
      await act('Assign group')
      await dialog().getByText(`${before.total} credentials`).waitFor()
      await dialog().getByRole('combobox').click()
      await page.getByRole('option', { name: 'No group' }).click()
      await dialog().getByRole('button', { name: `Assign ${before.total}` }).click()
      const moved = before.items.filter((/** @type {{ group_id: string | null }} */ row) => row.group_id !== null).length
      await notice(`${moved} credentials are assigned`).waitFor()
      assert.equal((await asked({ 'status!': 'banned', group_id: 'none' })).total, before.total)
      await page.getByRole('button', { name: 'Undo' }).click()
      await notice('Undone').waitFor()
      await eventually(async () => {
        const { items } = await server.api('api-pool/?limit=500&status!=banned')
        const groups = (/** @type {{ id: string, group_id: string | null }[]} */ list) => list.map(({ id, group_id }) => [id, group_id])
        assert.deepEqual(groups(items), groups(before.items))
      })
    })

    it('deletes what no account holds, and tells of the others why not', async () => {
      await page.goto('/credentials?q=lantern')
      const { rows } = await asked({ q: 'lantern' })
      const held = rows.filter(({ current_accounts }) => current_accounts > 0)
      const free = rows.filter(({ current_accounts }) => current_accounts === 0)
      assert.ok(held.length > 0 && free.length > 0)
      for (const { name } of rows.filter((row) => row === held[0] || row === free[0])) {
        const box = page.getByRole('checkbox', { name: `Select ${name}`, exact: true })
        await eventually(async () => {
          if ((await box.count()) === 0) await page.locator('[data-scroller]').evaluate((scroller) => scroller.scrollBy(0, 300))
          await box.check({ timeout: 1_000 })
        })
      }
      await bar().getByText('2 selected').waitFor()
      await act('Delete')
      await dialog().getByText('1 will be deleted. This can\'t be undone.').waitFor()
      await dialog().getByText('1 has accounts and stays: release them first.').waitFor()
      assert.ok(await dialog().getByRole('button', { name: 'Delete 1' }).isDisabled())
      await dialog().getByRole('textbox').fill('1')
      await dialog().getByRole('button', { name: 'Delete 1' }).click()
      await dialog().getByText('1 done, 1 not done').waitFor()
      await dialog().getByText('Accounts hold it: release them first.').waitFor()
      await hasNoBarriers(page, 'what was not done')
      const [download] = await Promise.all([page.waitForEvent('download'), dialog().getByRole('button', { name: 'Download as CSV' }).click()])
      const file = readFileSync(await download.path(), 'utf8')
      assert.match(file, new RegExp(`${held[0]?.id},${held[0]?.api_id},${held[0]?.name},Accounts hold it`))
      await dialog().getByRole('button', { name: 'Close', exact: true }).last().click()
      await eventually(async () => assert.equal((await asked({ q: 'lantern' })).total, rows.length - 1))
      await shows({ q: 'lantern' })
    })

    it('exports what is filtered, with the secrets only after a warning', async () => {
      await page.goto('/credentials?q=tagged')
      await showsFirst(page, ['77001'])
      if (isWide) await page.getByRole('button', { name: 'Export' }).click()
      else await choose(page, 'More actions', 'Export')
      await hasNoBarriers(page, 'export')
      const taken = async () => {
        const [download] = await Promise.all([page.waitForEvent('download'), dialog().getByRole('button', { name: 'Export' }).click()])
        await dialog().waitFor({ state: 'detached' })
        return readFileSync(await download.path(), 'utf8')
      }
      const masked = await taken()
      assert.equal(masked.trim().split('\n').length, 2)
      assert.ok(masked.includes('Tagged') && !masked.includes('ab'.repeat(16)))
      assert.ok(!/(^|,)"?=1\+1/m.test(masked))

      if (isWide) await page.getByRole('button', { name: 'Export' }).click()
      else await choose(page, 'More actions', 'Export')
      await dialog().getByRole('radio', { name: 'JSON' }).click()
      await dialog().getByRole('radio', { name: 'All of them' }).click()
      await dialog().getByRole('checkbox', { name: 'Include the secrets' }).click()
      await dialog().getByText('The file will hold every api_hash in plain text').waitFor()
      const all = JSON.parse(await taken())
      assert.equal(all.length, (await asked()).total)
      assert.ok(all.length > COUNT - 5 && JSON.stringify(all).includes('ab'.repeat(16)))
      const { items } = await server.api('audit-logs?action=api.exported')
      assert.ok(items.length >= 2)
    })

    it('opens a detail beside the list, which stays as it was', async () => {
      await page.goto('/credentials?q=harbour&sort=name')
      const { rows } = await asked({ q: 'harbour', sort: 'name' })
      await page.getByRole('link', { name: rows[1]?.name, exact: true }).click()
      await page.waitForURL(`/credentials/${rows[1]?.id}?q=harbour&sort=name`)
      await page.goBack()
      await page.waitForURL('/credentials?q=harbour&sort=name')
      await showsFirst(page, rows.map(({ api_id }) => api_id))
    })
  })
}
