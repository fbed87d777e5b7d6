// Settings as people change them: the pool's, who may sign in, tokens of services, and one's own account.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { barriers, openPage, startBrowser } from './browser.mjs'
import { OWNER, startServer } from './server.mjs'
import { choose, closeNotices, eventually, signIn, SIZES } from './steps.mjs'

const NEW_PASSWORD = 'staple battery horse correct'

/** @type {import('playwright-core').Browser} */
let browser

before(async () => {
  browser = await startBrowser()
})
after(() => browser?.close())

for (const options of Object.values(SIZES)) {
  describe(`at ${options.viewport.width} px`, () => {
    /** @type {import('./server.mjs').Server} */
    let server
    /** @type {import('playwright-core').Page} */
    let page
    /** @type {string[]} */
    let troubles

    const dialog = () => page.getByRole('dialog')
    const button = (/** @type {string | RegExp} */ name) => page.getByRole('button', { name, exact: true })
    const setting = async (/** @type {string} */ key) => (await server.api('settings')).settings.find((/** @type {{ key: string }} */ one) => one.key === key)
    const user = async (/** @type {string} */ name) => (await server.api('users')).items.find((/** @type {{ username: string }} */ one) => one.username === name)
    const closed = () => dialog().waitFor({ state: 'detached' })
    const refusals = (/** @type {RegExp} */ expected) => {
      const said = troubles.splice(0)
      assert.ok(said.length > 0 && said.every((one) => expected.test(one)), said.join('\n'))
    }
    const hasNoBarriers = async () => {
      await closeNotices(page)
      // A button under the pointer is paler.
      await page.mouse.move(0, 0)
      for (const theme of /** @type {const} */ (['light', 'dark'])) {
        await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
        assert.deepEqual(await barriers(page, 'html'), [], theme)
      }
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth))
    }
    /** What the API answers to somebody with this token. */
    const asToken = (/** @type {string} */ token) =>
      fetch(`${server.url}/api/admin/api-pool/allocate/preview`, {
        method: 'POST',
        headers: { 'X-Service-Token': token, 'Content-Type': 'application/json' },
        body: JSON.stringify({ account_id: 'test:1' }),
      })
    const signedIn = async (/** @type {string} */ username, /** @type {string} */ password) => {
      const response = await fetch(`${server.url}/api/admin/login`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ username, password }),
      })
      return { status: response.status, token: (await response.json()).data?.token }
    }
    const me = (/** @type {string} */ token) => fetch(`${server.url}/api/admin/me`, { headers: { Authorization: `Bearer ${token}` } })
    const kept = () => page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, history.state, location.href]))
    /** Takes the secret that is shown once, and closes its dialog. */
    const takeSecret = async () => {
      const secret = await dialog().locator('[data-secret]').innerText()
      assert.ok(await button('Close').isDisabled())
      await page.keyboard.press('Escape')
      assert.ok(await dialog().isVisible())
      assert.ok(!(await kept()).includes(secret))
      await hasNoBarriers()
      await dialog().getByText('I have copied it').click()
      await button('Close').click()
      await closed()
      assert.ok(!(await page.content()).includes(secret))
      return secret
    }

    before(async () => {
      server = await startServer()
      ;({ page, troubles } = await openPage(browser, server.url, { ...options, reducedMotion: 'reduce', colorScheme: 'light' }))
      await page.goto('/settings')
      await signIn(page)
      await page.getByRole('heading', { name: 'Thresholds' }).waitFor()
    })
    after(async () => {
      await page?.context().close()
      assert.doesNotMatch((await server?.stop()) ?? '', /\bERROR\b/)
    })
    afterEach(async () => {
      await closeNotices(page)
      assert.deepEqual(troubles.splice(0), [])
    })

    it('changes a threshold, takes it back, and goes back to the default', async () => {
      await hasNoBarriers()
      const warning = page.getByLabel('Capacity warning', { exact: true })
      assert.equal(await warning.inputValue(), '80')
      await warning.fill('99')
      await page.getByText('The warning must not be above what is critical.').waitFor()
      assert.ok(await button('Save').isDisabled())
      await warning.fill('70')
      await button('Save').click()
      await eventually(async () => assert.equal((await setting('capacity.warning_percent')).value, 70))
      await page.getByText('Set by user:admin').waitFor()
      await button('Undo').click()
      await eventually(async () => assert.equal((await setting('capacity.warning_percent')).source, 'default'))
      await eventually(async () => assert.equal(await warning.inputValue(), '80'))
      await closeNotices(page)
      await server.api('settings', { 'capacity.warning_percent': 60 }, 'PUT')
      await eventually(async () => assert.equal(await warning.inputValue(), '60'))
      await button('Capacity warning: back to default').click()
      await button('Save').click()
      await eventually(async () => assert.equal((await setting('capacity.warning_percent')).source, 'default'))
    })

    it('saves beside a change to other settings, and asks about one to the same', async () => {
      const jobs = page.getByLabel('Finished jobs', { exact: true })
      await jobs.fill('20')
      await server.api('settings', { 'capacity.critical_percent': 96 }, 'PUT')
      await button('Save').click()
      await eventually(async () => assert.equal((await setting('retention.jobs_days')).value, 20))
      assert.equal((await setting('capacity.critical_percent')).value, 96)
      refusals(/412/)
      await closeNotices(page)

      await jobs.fill('30')
      await server.api('settings', { 'retention.jobs_days': 25 }, 'PUT')
      await button('Save').click()
      await eventually(async () => assert.deepEqual(await page.getByRole('alert').locator('td').allInnerTexts(), ['25', '30']))
      refusals(/412/)
      assert.equal((await setting('retention.jobs_days')).value, 25)
      await hasNoBarriers()
      await button('Save mine over theirs').click()
      await eventually(async () => assert.equal((await setting('retention.jobs_days')).value, 30))
    })

    it('finds settings, and chooses a strategy', async () => {
      await page.getByRole('searchbox').fill('ranked')
      await page.waitForURL('/settings?q=ranked')
      await page.getByRole('heading', { name: 'Thresholds' }).waitFor({ state: 'hidden' })
      await page.getByRole('radio', { name: /Health/ }).click()
      await button('Save').click()
      await eventually(async () => assert.equal((await setting('strategy')).value, 'health'))
      await page.getByRole('searchbox').fill('nonsense')
      await page.getByRole('heading', { name: 'Nothing matches “nonsense”' }).waitFor()
      await button('Clear search and filters').click()
      await page.getByRole('heading', { name: 'Thresholds' }).waitFor()
    })

    it('adds a user with a password that is shown once', async () => {
      await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'Users' }).click()
      await page.getByText('admin').last().waitFor()
      await hasNoBarriers()
      await button('Add user').click()
      await dialog().getByRole('button', { name: 'Add user' }).click()
      await dialog().getByText('1 to 64 letters').waitFor()
      await dialog().getByLabel('User name').fill('ann')
      await button('Make one').click()
      await hasNoBarriers()
      await dialog().getByRole('button', { name: 'Add user' }).click()
      await page.getByRole('heading', { name: 'Password of ann' }).waitFor()
      const password = await takeSecret()
      assert.equal((await signedIn('ann', password)).status, 200)
      assert.equal((await user('ann')).role, 'operator')
    })

    it('changes a role, ends a session, resets a password', async () => {
      await choose(page, 'Actions for ann', 'Change name or role')
      await dialog().getByRole('radio', { name: /Auditor/ }).click()
      await hasNoBarriers()
      await dialog().getByRole('button', { name: 'Save' }).click()
      await closed()
      assert.equal((await user('ann')).role, 'auditor')
      await closeNotices(page)

      await choose(page, 'Actions for ann', 'Reset password')
      await hasNoBarriers()
      await dialog().getByRole('button', { name: 'Reset password' }).click()
      const password = await takeSecret()
      const { token } = await signedIn('ann', password)
      await choose(page, 'Actions for ann', 'Sessions')
      await dialog().getByRole('button', { name: /^End session/ }).click()
      await dialog().getByText('Not signed in anywhere.').waitFor()
      await eventually(async () => assert.equal((await me(token)).status, 401))
      await hasNoBarriers()
      await page.keyboard.press('Escape')
      await closed()
    })

    it('keeps the last owner, and deletes another user', async () => {
      await choose(page, 'Actions for admin', 'Change name or role')
      await dialog().getByRole('radio', { name: /Auditor/ }).click()
      await dialog().getByText('This is you').waitFor()
      await dialog().getByRole('button', { name: 'Save' }).click()
      await dialog().getByText('This is the last owner').waitFor()
      refusals(/409/)
      await button('Cancel').click()
      await choose(page, 'Actions for ann', 'Delete')
      await dialog().getByText('This can’t be undone').waitFor()
      await hasNoBarriers()
      await dialog().getByRole('button', { name: 'Delete user' }).click()
      await closed()
      assert.equal(await user('ann'), undefined)
    })

    it('shows who may do what', async () => {
      await page.goto('/settings/roles')
      await page.getByText('Ask for a credential, renew a lease, preview').waitFor()
      const { permissions, roles } = await server.api('permissions')
      const shown = await page.locator('#content tbody tr').evaluateAll((rows) =>
        rows.map((row) => [row.querySelector('code')?.textContent, ...[...row.querySelectorAll('td .sr-only')].map((cell) => cell.textContent === 'Yes')]),
      )
      assert.deepEqual(shown, permissions.map((/** @type {string} */ name) => [name, ...['owner', 'admin', 'operator', 'auditor'].map((role) => roles[role].includes(name))]))
      await hasNoBarriers()
    })

    it('issues a token that is shown once, works, and is revoked', async () => {
      await page.goto('/settings/tokens')
      await page.getByRole('heading', { name: 'No service tokens yet' }).waitFor()
      await button('Issue token').first().click()
      await dialog().getByRole('textbox', { name: 'Product' }).fill('Chat')
      await dialog().getByRole('button', { name: 'Issue token' }).click()
      await dialog().getByText('1 to 32 lower-case letters').waitFor()
      await dialog().getByRole('textbox', { name: 'Product' }).fill('chat')
      await dialog().getByLabel('Note').fill('Two machines')
      await hasNoBarriers()
      await dialog().getByRole('button', { name: 'Issue token' }).click()
      await page.getByRole('heading', { name: 'Token of chat' }).waitFor()
      assert.match(await dialog().locator('pre').innerText(), /^curl -X POST \S+\/allocate\/preview/)
      const token = await takeSecret()
      assert.match(token, /^svc_chat_/)
      assert.equal((await asToken(token)).status, 200)
      const [{ product, scopes, note, member_level }] = (await server.api('service-tokens')).items
      assert.deepEqual({ product, scopes: scopes.length, note, member_level }, { product: 'chat', scopes: 4, note: 'Two machines', member_level: 'free' })
      await hasNoBarriers()

      await button('Revoke the token of chat').click()
      await dialog().getByText('is refused within a second').waitFor()
      await hasNoBarriers()
      await dialog().getByRole('button', { name: 'Revoke' }).click()
      await closed()
      await eventually(async () => assert.equal((await asToken(token)).status, 401))
      assert.equal((await server.api('service-tokens')).total, 0)
    })

    it('changes one’s own password, which ends the other sessions', async () => {
      const { token } = await signedIn(OWNER.username, OWNER.password)
      await choose(page, 'Your account', 'Your account')
      await page.waitForURL('/settings/you')
      await page.getByRole('listitem').filter({ hasText: 'This browser' }).waitFor()
      await hasNoBarriers()
      const [old, fresh, again] = [page.getByLabel('Present password', { exact: true }), page.getByLabel('New password', { exact: true }), page.getByLabel('New password again', { exact: true })]
      await old.fill('wrong')
      await fresh.fill(NEW_PASSWORD)
      await again.fill('something else')
      await button('Change password').click()
      await page.getByText('This is not the same.').waitFor()
      await again.fill(NEW_PASSWORD)
      await button('Change password').click()
      await page.getByText('This is not your present password.').waitFor()
      refusals(/422/)
      await old.fill(OWNER.password)
      await button('Change password').click()
      await page.getByText('Your password is changed').first().waitFor()
      assert.equal(await old.inputValue(), '')
      await eventually(async () => assert.equal((await me(token)).status, 401))
      assert.equal((await signedIn(OWNER.username, OWNER.password)).status, 401)
    })

    it('says what runs here', async () => {
      await page.goto('/settings/about')
      const { version } = await (await fetch(`${server.url}/api/health`)).json()
      await page.getByText(version, { exact: true }).waitFor()
      for (const name of ['API reference', 'OpenAPI document', 'Licences']) {
        const path = await page.getByRole('link', { name: new RegExp(name) }).getAttribute('href')
        assert.equal((await fetch(`${server.url}${path}`)).status, 200)
      }
      await hasNoBarriers()
    })

    it('speaks 繁體中文', async () => {
      await page.evaluate(() => localStorage.setItem('api-pool.locale', 'zh-TW'))
      for (const [path, heading] of [['', '對接池'], ['/users', '使用者'], ['/roles', '角色'], ['/tokens', '服務權杖'], ['/you', '您的帳號'], ['/about', '關於']]) {
        await page.goto(`/settings${path}`)
        await page.getByRole('heading', { level: 1, name: heading ?? '' }).waitFor()
        await hasNoBarriers()
      }
      await page.evaluate(() => localStorage.setItem('api-pool.locale', 'en'))
    })

    it('signs out everywhere, here and there', async () => {
      const there = await openPage(browser, server.url, { ...options, reducedMotion: 'reduce' })
      await there.page.goto('/settings/you')
      await signIn(there.page, NEW_PASSWORD)
      await there.page.getByText('This browser').waitFor()
      await page.goto('/settings/you')
      await button('Sign out everywhere').click()
      await hasNoBarriers()
      await dialog().getByRole('button', { name: 'Sign out everywhere' }).click()
      await page.waitForURL('/sign-in')
      await eventually(async () => {
        await there.page.goto('/settings/you')
        await there.page.getByRole('heading', { level: 1 }).waitFor()
        assert.match(there.page.url(), /\/sign-in\?next=/)
      })
      await there.page.context().close()
    })
  })
}
