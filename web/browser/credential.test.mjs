// One credential, from its detail: why it is as it is, an edit that somebody else was faster with, decisions and the way back.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { openPage, startBrowser } from './browser.mjs'
import { COUNT, fillPool } from './demo.mjs'
import { OWNER, startServer } from './server.mjs'
import { choose, closeNotices, eventually, hasNoBarriers, signIn, SIZES } from './steps.mjs'
import { wordsIn } from './words.mjs'

const server = await startServer()
await fillPool(server.api)
/** @type {Record<string, any>[]} */
const pool = (await server.api(`api-pool/?limit=${COUNT}&sort=created_at`)).items
const browser = await startBrowser()

after(async () => {
  await browser.close()
  await server.stop()
})

/**
 * What somebody else does at the same time.
 * @param {string} id
 * @param {unknown} body
 */
async function change(id, body) {
  const { token } = await server.api('login', OWNER)
  const response = await fetch(`${server.url}/api/admin/api-pool/${id}`, {
    method: 'PUT',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  assert.equal(response.status, 200)
}

const STORIES = /** @type {const} */ ([
  { size: 'wide', locale: 'en', browserLocale: 'en-US' },
  { size: 'narrow', locale: 'zh-TW', browserLocale: 'zh-TW' },
])

for (const { size, locale, browserLocale } of STORIES) {
  describe(`at ${SIZES[size].viewport.width} px, ${locale}`, () => {
    const t = wordsIn(locale)
    /** @type {import('playwright-core').Page} */
    let page
    /** @type {string[]} */
    let troubles
    /** @type {Record<string, any>} */
    let own

    const fresh = () => server.api(`api-pool/${own.id}`)
    const dialog = () => page.getByRole('dialog').last()
    const press = (/** @type {string} */ key) => dialog().getByRole('button', { name: t(key), exact: true }).click()
    const is = (/** @type {Record<string, unknown>} */ expected) =>
      eventually(async () => {
        const now = await fresh()
        assert.deepEqual(Object.fromEntries(Object.keys(expected).map((field) => [field, now[field]])), expected)
      })
    const undo = async () => {
      await page.getByRole('button', { name: t('common.undo'), exact: true }).last().click()
      await page.getByText(t('common.undone'), { exact: true }).last().waitFor()
    }

    before(async () => {
      ;({ page, troubles } = await openPage(browser, server.url, { ...SIZES[size], locale: browserLocale }))
      // One with accounts and failures, another for each size.
      const candidates = pool.filter(({ status, current_accounts, free_slots, fail_count }) => status === 'in_use' && current_accounts > 1 && free_slots > 0 && fail_count > 0)
      own = candidates[size === 'wide' ? 0 : 1] ?? assert.fail('the pool has none like that')
      await page.goto('/')
      await signIn(page)
      await page.locator('#content').waitFor()
    })
    after(() => page?.context().close())
    afterEach(async () => {
      assert.deepEqual(troubles.splice(0), [])
      await closeNotices(page)
    })

    it('has an address, a name, and says why it is as it is', async () => {
      await page.goto(`/credentials/${own.id}`)
      await page.getByRole('dialog', { name: own.name }).waitFor()
      await eventually(async () => assert.match(await page.title(), new RegExp(own.name)))
      await dialog().getByText(own.api_id, { exact: true }).first().waitFor()
      await dialog().getByText(own.api_hash_masked, { exact: true }).waitFor()
      await dialog().getByRole('heading', { name: t('credentials.panel.why.title') }).waitFor()
      await dialog().getByText(t('credentials.panel.why.open', { n: own.free_slots }, own.free_slots)).waitFor()
      await hasNoBarriers(page, 'overview')
    })

    it('draws the parts of its health', async () => {
      await eventually(async () => assert.notEqual((await server.api(`api-pool/${own.id}/health`)).parts, null))
      await page.reload()
      const parts = dialog().locator('dl').filter({ hasText: t('credentials.panel.health.success') }).first()
      await parts.waitFor()
      const told = await parts.locator('dd > span:last-child').allInnerTexts()
      const { parts: values } = await server.api(`api-pool/${own.id}/health`)
      const expected = ['success', 'stability', 'trend', 'freshness'].map((part) =>
        t('credentials.panel.health.points', { given: Math.round(values[part] * values.weights[part]), possible: Math.round(100 * values.weights[part]) }),
      )
      assert.deepEqual(told, expected)
    })

    it('shows faults, accounts, history and audit trail as the API has them', async () => {
      const { items: faults, total } = await server.api(`api-pool/history?limit=5&api_id=${own.api_id}&action=api.failed,api.flagged,api.cooled,api.banned`)
      assert.ok(faults.length > 0)
      const list = dialog().locator('section').filter({ has: page.getByRole('heading', { name: t('credentials.panel.faults.title') }) })
      await eventually(async () => assert.equal(await list.getByRole('listitem').count(), faults.length))
      if (total > faults.length) {
        await list.getByRole('button', { name: t('credentials.panel.more') }).click()
        await eventually(async () => assert.ok((await list.getByRole('listitem').count()) > faults.length))
      }

      const { items: accounts } = await server.api(`api-pool/allocations?limit=20&status=allocated&api_id=${own.api_id}`)
      await page.getByRole('tab', { name: t('credentials.panel.tab.accounts', { n: accounts.length }) }).click()
      await eventually(async () =>
        assert.deepEqual(await dialog().getByRole('listitem').getByRole('link').allInnerTexts(), accounts.map((/** @type {{ account_id: string }} */ { account_id }) => account_id)),
      )
      await hasNoBarriers(page, 'accounts')

      await page.getByRole('tab', { name: t('credentials.panel.tab.history') }).click()
      await dialog().getByText(t('history.action.api_added')).or(dialog().getByRole('button', { name: t('credentials.panel.more') })).first().waitFor()
      await hasNoBarriers(page, 'history')
      await page.getByRole('tab', { name: t('credentials.panel.tab.audit') }).click()
      await dialog().getByText('allocation_id').or(dialog().getByText('API_ID_INVALID')).first().waitFor()
      await hasNoBarriers(page, 'audit trail')
      await page.getByRole('tab', { name: t('credentials.panel.tab.overview') }).click()
    })

    it('is edited, only in what was changed, and taken back', async () => {
      await press('credentials.actions.edit')
      await dialog().getByLabel(t('credentials.form.field.name')).fill('Foghorn')
      await dialog().getByLabel(t('credentials.form.field.max_accounts'), { exact: true }).fill('0')
      await press('credentials.form.save')
      await dialog().getByText(t('credentials.form.between', { from: 1, to: 100000 })).waitFor()
      await hasNoBarriers(page, 'editing')
      await dialog().getByLabel(t('credentials.form.field.max_accounts'), { exact: true }).fill(String(own.max_accounts))
      const [sent] = await Promise.all([page.waitForRequest((request) => request.method() === 'PUT'), press('credentials.form.save')])
      assert.equal(sent.headers()['if-match'], `"${own.version}"`)
      await page.getByRole('dialog', { name: 'Foghorn' }).waitFor()
      await is({ name: 'Foghorn' })
      const { items } = await server.api(`audit-logs?limit=1&api_id=${own.api_id}&action=api.updated`)
      assert.deepEqual(items[0].after, { name: 'Foghorn' })
      await undo()
      await is({ name: own.name })
      await page.getByRole('dialog', { name: own.name }).waitFor()
    })

    it('asks which version stands when somebody else was faster', async () => {
      for (const choice of /** @type {const} */ (['takeTheirs', 'keepMine'])) {
        await press('credentials.actions.edit')
        await dialog().getByLabel(t('credentials.form.field.priority')).fill('7')
        await change(own.id, { priority: choice === 'takeTheirs' ? 3 : 4, note: choice })
        await press('credentials.form.save')
        const notice = dialog().getByRole('alert')
        await notice.getByText(t('common.conflict.title')).waitFor()
        assert.deepEqual(await notice.locator('tbody').getByRole('cell').allInnerTexts(), [choice === 'takeTheirs' ? '3' : '4', '7'])
        await dialog().getByText(t('credentials.form.alsoChanged', { fields: t('credentials.form.field.note') })).waitFor()
        if (choice === 'keepMine') await hasNoBarriers(page, 'conflict')
        await notice.getByRole('button', { name: t(`common.conflict.${choice}`) }).click()
        if (choice === 'takeTheirs') {
          await eventually(async () => assert.equal(await dialog().getByLabel(t('credentials.form.field.priority')).inputValue(), '3'))
          await press('common.cancel')
          await is({ priority: 3, note: choice })
        } else await is({ priority: 7, note: choice })
        assert.deepEqual(troubles.splice(0).map((trouble) => /\b412\b/.test(trouble)), [true, true])
      }
    })

    it('is disabled, its accounts stay, and enabled again', async () => {
      const { current_accounts: accounts } = await fresh()
      await press('credentials.actions.disable.menu')
      await dialog().getByText(t('credentials.actions.disable.hint', { n: accounts }, accounts)).waitFor()
      await hasNoBarriers(page, 'disabling')
      await press('credentials.actions.disable.submit')
      await is({ status: 'disabled', current_accounts: accounts })
      await page.getByText(t('credentials.panel.why.disabledMore', { n: accounts }, accounts)).waitFor()
      await dialog().getByText(t('common.by', { who: `user:${OWNER.username}` })).first().waitFor()
      await undo()
      await is({ status: 'in_use', current_accounts: accounts })
    })

    it('is banned for a reason, which refuses its accounts, and the ban is lifted', async () => {
      const { current_accounts: accounts } = await fresh()
      await choose(page, t('credentials.actions.more'), t('credentials.actions.ban.menu'))
      await dialog().getByText(t('credentials.actions.ban.hint', { n: accounts }, accounts)).waitFor()
      await press('credentials.actions.ban.submit')
      await dialog().getByText(t('credentials.actions.reasonMissing')).waitFor()
      await dialog().getByRole('textbox', { name: t('credentials.actions.reason') }).fill('海風 lost its keys')
      await press('credentials.actions.ban.submit')
      await is({ status: 'banned', ban_reason: '海風 lost its keys' })
      await dialog().locator('blockquote').getByText('海風 lost its keys').waitFor()
      await press('credentials.actions.unban.menu')
      await press('credentials.actions.unban.submit')
      await is({ status: 'in_use', ban_reason: null })
    })

    it('reveals the secret for a reason, hides it again, and keeps no trace of it', async () => {
      await press('credentials.actions.reveal.menu')
      await dialog().getByRole('textbox', { name: t('credentials.actions.reason') }).fill('handing over')
      await hasNoBarriers(page, 'revealing')
      const [answer] = await Promise.all([page.waitForResponse(/\/reveal$/), press('credentials.actions.reveal.submit')])
      const { api_hash: hash } = (await answer.json()).data
      await dialog().locator('[data-secret]').getByText(hash, { exact: true }).waitFor()
      await hasNoBarriers(page, 'revealed')
      await press('credentials.actions.reveal.hide')
      await page.getByRole('dialog', { name: own.name }).waitFor()
      assert.ok(!(await page.content()).includes(hash))
      const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state, location.href]))
      assert.ok(!kept.includes(hash))
      const { items } = await server.api(`audit-logs?limit=1&api_id=${own.api_id}&action=api.revealed`)
      assert.equal(items[0].data.reason, 'handing over')
    })

    it('releases all its accounts when its name is typed', async () => {
      const { current_accounts: accounts, name } = await fresh()
      await choose(page, t('credentials.actions.more'), t('credentials.actions.release.menu'))
      await dialog().getByText(t('credentials.actions.release.hint', { n: accounts }, accounts)).waitFor()
      const submit = dialog().getByRole('button', { name: t('credentials.actions.release.submit'), exact: true })
      assert.ok(await submit.isDisabled())
      await dialog().getByRole('textbox').fill(name)
      await submit.click()
      await is({ current_accounts: 0, status: 'available' })
      await page.getByText(t('credentials.actions.release.done', { n: accounts, name }, accounts)).first().waitFor()
    })

    it('is deleted when its name is typed, though an account has come', async () => {
      await server.api('api-pool/allocate', { account_id: `late:${size}`, api_id: own.api_id })
      await page.getByRole('tab', { name: t('credentials.panel.tab.accounts', { n: 1 }) }).waitFor()
      await choose(page, t('credentials.actions.more'), t('credentials.actions.remove.menu'))
      const submit = dialog().getByRole('button', { name: t('credentials.actions.remove.submit'), exact: true })
      await dialog().getByRole('textbox').fill(own.name)
      assert.ok(await submit.isDisabled())
      await dialog().getByRole('checkbox').click()
      // The page's own keys are not heard through a dialog.
      await page.keyboard.type('go?j')
      await hasNoBarriers(page, 'deleting')
      await submit.click()
      await page.waitForURL(/\/credentials$/)
      const { total } = await server.api(`api-pool/?api_id=${own.api_id}`)
      assert.equal(total, 0)
    })
  })
}
