// Who may sign in, as owners keep it; and one’s own account.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { openPage, startBrowser } from './browser.mjs'
import { OWNER, startServer } from './server.mjs'
import { choose, closeNotices, eventually, hasNoBarriers, signIn, SIZES, takeSecret } from './steps.mjs'

const NEW_PASSWORD = 'staple battery horse correct'

const browser = await startBrowser()
after(() => browser.close())

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
    const user = async (/** @type {string} */ name) => (await server.api('users')).items.find((/** @type {{ username: string }} */ one) => one.username === name)
    const closed = () => dialog().waitFor({ state: 'detached' })
    const refusals = (/** @type {RegExp} */ expected) => {
      const said = troubles.splice(0)
      assert.ok(said.length > 0 && said.every((one) => expected.test(one)), said.join('\n'))
    }
    const signedIn = async (/** @type {string} */ username, /** @type {string} */ password) => {
      const response = await fetch(`${server.url}/api/admin/login`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ username, password }),
      })
      return { status: response.status, token: (await response.json()).data?.token }
    }
    const me = (/** @type {string} */ token) => fetch(`${server.url}/api/admin/me`, { headers: { Authorization: `Bearer ${token}` } })

    before(async () => {
      server = await startServer()
      ;({ page, troubles } = await openPage(browser, server.url, options))
      await page.goto('/settings/users')
      await signIn(page)
      await page.getByText('admin').last().waitFor()
    })
    after(async () => {
      await page?.context().close()
      await server?.stop()
    })
    afterEach(async () => {
      await closeNotices(page)
      assert.deepEqual(troubles.splice(0), [])
    })

    it('adds a user with a password that is shown once', async () => {
      await hasNoBarriers(page)
      await button('Add user').click()
      await dialog().getByRole('button', { name: 'Add user' }).click()
      await dialog().getByText('1 to 64 letters').waitFor()
      await dialog().getByLabel('User name').fill('ann')
      await button('Make one').click()
      await hasNoBarriers(page)
      await dialog().getByRole('button', { name: 'Add user' }).click()
      await page.getByRole('heading', { name: 'Password of ann' }).waitFor()
      const password = await takeSecret(page)
      assert.equal((await signedIn('ann', password)).status, 200)
      assert.equal((await user('ann')).role, 'operator')
    })

    it('changes a role, ends a session, resets a password', async () => {
      await choose(page, 'Actions for ann', 'Change name or role')
      await dialog().getByRole('radio', { name: /Auditor/ }).click()
      await hasNoBarriers(page)
      await dialog().getByRole('button', { name: 'Save' }).click()
      await closed()
      assert.equal((await user('ann')).role, 'auditor')
      await closeNotices(page)

      await choose(page, 'Actions for ann', 'Reset password')
      await hasNoBarriers(page)
      await dialog().getByRole('button', { name: 'Reset password' }).click()
      const password = await takeSecret(page)
      const { token } = await signedIn('ann', password)
      await choose(page, 'Actions for ann', 'Sessions')
      await dialog().getByRole('button', { name: /^End session/ }).click()
      await dialog().getByText('Not signed in anywhere.').waitFor()
      await eventually(async () => assert.equal((await me(token)).status, 401))
      await hasNoBarriers(page)
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
      await hasNoBarriers(page)
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
      await hasNoBarriers(page)
    })

    it('changes one’s own password, which ends the other sessions', async () => {
      const { token } = await signedIn(OWNER.username, OWNER.password)
      await choose(page, 'Your account', 'Your account')
      await page.waitForURL('/settings/you')
      await page.getByRole('listitem').filter({ hasText: 'This browser' }).waitFor()
      await hasNoBarriers(page)
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

    it('signs out everywhere, here and there', async () => {
      const there = await openPage(browser, server.url, options)
      await there.page.goto('/settings/you')
      await signIn(there.page, NEW_PASSWORD)
      await there.page.getByText('This browser').waitFor()
      await page.goto('/settings/you')
      await button('Sign out everywhere').click()
      await hasNoBarriers(page)
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
