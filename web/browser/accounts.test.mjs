// Accounts as people meet them: looking them up, giving and taking back by hand, and the preview of a choice.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { openPage, startBrowser } from './browser.mjs'
import { fillPool } from './demo.mjs'
import { startServer } from './server.mjs'
import { choose, eventually, fits, hasNoBarriers, signIn, SIZES } from './steps.mjs'

/** A key as awkward as keys may be. */
const ODD = 'chatx:9f/1+a b?#%帳號'

const server = await startServer()
await fillPool(server.api)
const [tiny, empty] = [await server.api('api-pool/groups', { name: 'Tiny' }), await server.api('api-pool/groups', { name: 'Empty' })]
const groups = { tiny: tiny.id, empty: empty.id }
await server.api('api-pool/', { api_id: '31234567', api_hash: '0123456789abcdef0123456789abcdef', name: 'The only one', max_accounts: 1, group_id: tiny.id })
await server.api('api-pool/allocate', { account_id: 'tiny:1', group_id: tiny.id })
await server.api('api-pool/allocate', { account_id: ODD, ttl_seconds: 7200 })
const held = await server.api('api-pool/allocate', { account_id: 'frozen:1' })
await server.api('api-pool/result', { api_id: held.api_id, success: false, error: 'FROZEN_METHOD_INVALID', account_id: 'frozen:1' })
await server.api('api-pool/release', { account_id: 'frozen:1' })
await server.api('api-pool/rules', { name: 'No tests', effect: 'deny', match: { account: 'test:*' }, priority: 5 })
const browser = await startBrowser()

after(async () => {
  await browser.close()
  await server.stop()
})

const accountNow = (/** @type {string} */ account) => server.api(`api-pool/account?${new URLSearchParams({ account_id: account })}`)
const previewOf = (/** @type {object} */ body) => server.api('api-pool/allocate/preview', body)

for (const [size, options] of Object.entries(SIZES)) {
  describe(`accounts at ${options.viewport.width} px`, () => {
    /** @type {import('playwright-core').Page} */
    let page
    /** @type {string[]} */
    let troubles

    const here = () => new URL(page.url())
    const dialog = () => page.getByRole('dialog').last()
    const outcome = () => page.getByRole('status', { name: 'Outcome' })
    const shownAccounts = () => page.locator('#content :is(tbody, ul) a[href^="/accounts/"]').allTextContents()

    /** The rows drawn are the first that the API answers; a wide table draws those in view. */
    async function lists(/** @type {Record<string, string>} */ query) {
      const { items } = await server.api(`api-pool/allocations?${new URLSearchParams({ limit: '50', ...query })}`)
      const accounts = items.map((/** @type {{ account_id: string }} */ { account_id }) => account_id)
      await eventually(async () => {
        const shown = await shownAccounts()
        assert.ok(shown.length >= Math.min(accounts.length, 10), `${shown.length} of ${accounts.length}`)
        assert.deepEqual(shown, accounts.slice(0, shown.length))
      })
      return accounts
    }

    before(async () => {
      ;({ page, troubles } = await openPage(browser, server.url, { ...options, permissions: ['clipboard-read', 'clipboard-write'] }))
      await page.goto('/')
      await signIn(page)
      await page.locator('#content').waitFor()
    })
    after(() => page?.context().close())
    afterEach(() => assert.deepEqual(troubles.splice(0), []))

    it('lists the allocations, and narrows them down in the address', async () => {
      await page.goto('/accounts')
      const all = await lists({})
      await hasNoBarriers(page, 'the list')

      await page.getByRole('button', { name: 'Status', exact: true }).click()
      await page.getByRole('menuitemcheckbox', { name: 'Released' }).click()
      await page.keyboard.press('Escape')
      await page.waitForURL('/accounts?status=released')
      await lists({ status: 'released' })
      await page.getByRole('button', { name: 'Clear search and filters' }).click()
      await page.waitForURL('/accounts')
      await page.getByRole('searchbox').fill(all[5] ?? '')
      await page.waitForURL((url) => url.searchParams.get('q') === all[5])
      await lists({ q: all[5] ?? '' })
    })

    it('finds an account by its key, whatever stands in it', async () => {
      await page.goto('/accounts')
      await page.getByLabel('Look up accounts').getByRole('textbox').fill(ODD)
      await page.getByRole('button', { name: 'Look up' }).click()
      await page.waitForURL(/\/accounts\/./)
      assert.equal(decodeURIComponent(here().pathname), `/accounts/${ODD}`)
      const held = await accountNow(ODD)
      await dialog().getByRole('link', { name: held.api_id }).first().waitFor()
      await dialog().getByText('Active', { exact: true }).waitFor()
      await dialog().getByText('Allocated', { exact: true }).first().waitFor()
      await eventually(async () => assert.ok((await page.title()).includes(ODD)))
      await hasNoBarriers(page, 'a detail')

      await page.reload()
      await dialog().getByRole('link', { name: held.api_id }).first().waitFor()
      await fits(page)
    })

    it('goes to the neighbours and back to the list', async () => {
      await page.goto('/accounts')
      const all = await lists({})
      await page.getByRole('link', { name: all[1] ?? '', exact: true }).first().click()
      const panel = (/** @type {string | undefined} */ account) => page.waitForURL((url) => decodeURIComponent(url.pathname) === `/accounts/${account}`)
      await panel(all[1])
      await dialog().getByText('What it holds').waitFor()
      await page.keyboard.press('j')
      await panel(all[2])
      await page.keyboard.press('k')
      await panel(all[1])
      await page.keyboard.press('Escape')
      await page.waitForURL('/accounts')
    })

    it('looks many up at once, in their order', async () => {
      await page.goto('/accounts')
      const keys = ['tiny:1', 'nobody', ODD]
      await page.getByLabel('Look up accounts').getByRole('textbox').fill(keys.join('\n'))
      await page.getByText('3 accounts', { exact: true }).waitFor()
      await page.getByRole('button', { name: 'Look up' }).click()
      await page.getByRole('heading', { name: 'Lookup of 3 accounts' }).waitFor()
      await eventually(async () => assert.deepEqual(await shownAccounts(), keys))
      await page.getByText('2 hold a credential, 1 hold nothing').waitFor()
      await fits(page)
      await page.getByRole('button', { name: 'Back to the list' }).click()
      await lists({})
    })

    it('tells a frozen account', async () => {
      assert.equal(await accountNow('frozen:1'), null)
      await page.goto('/accounts/frozen:1')
      await dialog().getByText('Frozen', { exact: true }).waitFor()
      await dialog().getByText('3008').waitFor()
      await dialog().getByText('FROZEN_METHOD_INVALID').waitFor()
    })

    it('allocates by hand, and shows the secret once', async () => {
      const account = `story:${size}`
      await page.goto('/accounts')
      await page.getByRole('button', { name: 'Allocate', exact: true }).click()
      await dialog().getByRole('button', { name: 'Allocate', exact: true }).click()
      await dialog().getByText('Enter an account key.').waitFor()
      await dialog().locator('[name=account]').fill(account)
      const { chosen } = await previewOf({ account_id: account })
      await outcome().getByText(`${account} would get`).waitFor()
      await outcome().getByRole('link', { name: chosen.api_id }).waitFor()
      await hasNoBarriers(page, 'the form')

      const [sent] = await Promise.all([
        page.waitForResponse((response) => response.url().endsWith('/api-pool/allocate')),
        dialog().getByRole('button', { name: 'Allocate', exact: true }).click(),
      ])
      const given = (await sent.json()).data
      assert.ok(sent.request().headers()['idempotency-key'])
      assert.equal(given.api_id, chosen.api_id)
      await dialog().getByText('•'.repeat(16)).waitFor()
      assert.ok(!(await page.content()).includes(given.api_hash))
      await dialog().getByRole('button', { name: 'Show api_hash' }).click()
      await dialog().getByText(given.api_hash).waitFor()
      await hasNoBarriers(page, 'the answer')
      await dialog().getByRole('button', { name: 'Done' }).click()
      await dialog().waitFor({ state: 'detached' })
      const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state, location.href, document.documentElement.outerHTML]))
      assert.ok(!kept.includes(given.api_hash))
      assert.equal((await accountNow(account)).api_id, given.api_id)
    })

    it('releases, and takes it back', async () => {
      const account = `story:${size}`
      const before = await accountNow(account)
      await page.goto(`/accounts/${account}`)
      await dialog().getByRole('button', { name: 'Release' }).click()
      await dialog().getByText('gets the same credential back').waitFor()
      await page.keyboard.type('jkgo')
      assert.equal(decodeURIComponent(new URL(page.url()).pathname), `/accounts/${account}`)
      await hasNoBarriers(page, 'the question')
      await dialog().getByRole('button', { name: 'Release' }).click()
      await page.getByText(`${account} was released`).first().waitFor()
      assert.equal(await accountNow(account), null)
      await outcome().getByText('would get back').waitFor()
      // The notice stands outside the panel, which hides everything else from assistive software.
      await page.getByRole('button', { name: 'Undo', includeHidden: true }).click()
      await eventually(async () => assert.equal((await accountNow(account))?.api_id, before.api_id))
      await dialog().getByText('What it holds').waitFor()
    })

    it('renews a lease', async () => {
      await page.goto(`/accounts/${encodeURIComponent(ODD)}`)
      await dialog().getByRole('button', { name: 'Renew lease' }).click()
      await dialog().locator('[name=ttl]').fill(size === 'wide' ? '3' : '4')
      await dialog().getByRole('button', { name: 'Renew', exact: true }).click()
      await page.getByText('The lease now lasts until').first().waitFor()
      const { expires_at } = await accountNow(ODD)
      const days = (Date.parse(expires_at) - Date.now()) / 86_400_000
      assert.ok(Math.round(days) === (size === 'wide' ? 3 : 4), `${days} days`)
    })

    it('draws a choice: the winner, the others, and those that are out', async () => {
      const ask = { account_id: 'preview:1', strategy: 'success_rate' }
      const answer = await previewOf(ask)
      await page.goto('/preview')
      await page.getByRole('heading', { name: 'Which credential would an account get?' }).waitFor()
      await page.locator('[name=account]').fill(ask.account_id)
      await page.waitForURL((url) => url.searchParams.get('account') === ask.account_id)
      if (size === 'narrow') await page.getByRole('button', { name: 'Strategy, group, level and more' }).click()
      await page.getByRole('combobox', { name: 'Strategy' }).click()
      await page.getByRole('option', { name: 'Success rate' }).click()
      await page.waitForURL((url) => url.searchParams.get('strategy') === 'success_rate')
      await outcome().getByRole('link', { name: answer.chosen.api_id }).waitFor()

      const names = () => page.getByRole('region', { name: 'The ranking' }).locator('ol a').allInnerTexts()
      const ranked = answer.candidates.map((/** @type {{ name: string }} */ { name }) => name)
      await eventually(async () => assert.deepEqual(await names(), ranked.slice(0, 8)))
      await page.getByRole('button', { name: `Show all ${ranked.length}` }).click()
      await eventually(async () => assert.deepEqual(await names(), ranked))
      assert.ok((await outcome().innerText()).includes(ranked[1]))
      const out = page.getByRole('region', { name: 'out of the choice' })
      for (const [label, reason] of [['Disabled', 'disabled'], ['Banned', 'banned']]) {
        assert.match(await out.getByRole('link', { name: label }).innerText(), new RegExp(`${answer.rejected[reason ?? '']}$`))
      }
      await hasNoBarriers(page, 'a preview')

      // The address alone says it all.
      const address = page.url()
      await page.goto('/accounts')
      await page.goto(address)
      await outcome().getByRole('link', { name: answer.chosen.api_id }).waitFor()
    })

    it('tells a full pool from one that has nothing to give', async () => {
      await page.goto(`/preview?account=a&group=${groups.tiny}`)
      await outcome().getByText('The pool is full').waitFor()
      await outcome().getByText('One credential is fit for this account').waitFor()
      await hasNoBarriers(page, 'a full pool')
      await page.getByRole('button', { name: 'Try it' }).click()
      await page.waitForURL('/preview?account=a')
      await outcome().getByText('a would get').waitFor()
      await page.goBack()
      await outcome().getByText('3001').waitFor()

      await page.goto(`/preview?account=a&group=${groups.empty}`)
      await outcome().getByText('No credential is fit for this account').waitFor()
      const { rejected } = await previewOf({ account_id: 'a', group_id: groups.empty })
      assert.match(await page.getByRole('link', { name: 'Another group' }).innerText(), new RegExp(`${rejected.group}$`))
    })

    it('explains what goes before the ranking', async () => {
      await page.goto('/preview?account=test:1')
      await outcome().getByText('A rule refuses this account').waitFor()
      await outcome().getByText('“No tests”').waitFor()
      await page.goto('/preview?account=tiny:1')
      await outcome().getByText('tiny:1 keeps').waitFor()
      await page.goto('/preview?account=tiny:1&api_id=20100347')
      await outcome().getByText('The account holds another credential.').waitFor()
      await page.goto('/preview?account=b&api_id=31234567')
      await outcome().getByText('It has no free slot.').waitFor()
    })

    it('speaks 繁體中文', async () => {
      await choose(page, 'Your account', '繁體中文')
      await page.goto(`/preview?account=a&group=${groups.empty}`)
      await page.getByText('沒有適用於此帳號的憑證').waitFor()
      assert.doesNotMatch(await page.locator('#content').innerText(), /group|banned|eligible/)
      await page.goto('/accounts')
      await page.getByRole('heading', { level: 1, name: '帳號' }).waitFor()
      await fits(page)
      await choose(page, '您的帳號', 'English')
    })
  })
}
