// Groups and rules as people keep them: in order, tried before they are saved, and with a choice when two edit one.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { openPage, startBrowser } from './browser.mjs'
import { startServer } from './server.mjs'
import { closeNotices, eventually, hasNoBarriers, signIn, SIZES } from './steps.mjs'

const browser = await startBrowser()
after(() => browser.close())

for (const [size, options] of Object.entries(SIZES)) {
  describe(`at ${options.viewport.width} px`, () => {
    /** @type {import('./server.mjs').Server} */
    let server
    /** @type {import('playwright-core').Page} */
    let page
    /** @type {string[]} */
    let troubles

    const dialog = () => page.getByRole('dialog')
    const button = (/** @type {string | RegExp} */ name) => page.getByRole('button', { name, exact: true })
    const rules = async () => (await server.api('api-pool/rules?limit=500')).items
    const rule = async (/** @type {string} */ name) => (await rules()).find((/** @type {{ name: string }} */ one) => one.name === name)
    const groups = async () => (await server.api('api-pool/groups')).items
    const group = async (/** @type {string} */ name) => (await groups()).find((/** @type {{ name: string }} */ one) => one.name === name)
    const order = async () => (await rules()).map((/** @type {{ name: string }} */ { name }) => name)
    const rows = () => page.locator('#content ol > li')
    const shownOrder = () => rows().locator('p + p > span:first-child').allInnerTexts()
    const inOrder = (/** @type {string[]} */ names) =>
      eventually(async () => {
        assert.deepEqual(await order(), names)
        assert.deepEqual(await shownOrder(), names)
      })
    const saved = async () => {
      await dialog().waitFor({ state: 'detached' })
    }
    const select = async (/** @type {string} */ field, /** @type {string} */ option) => {
      await dialog().getByRole('combobox', { name: field, exact: true }).first().click()
      await page.getByRole('option', { name: option, exact: true }).click()
    }

    before(async () => {
      server = await startServer()
      const sign = await server.api('api-pool/groups', { name: 'Sign-in' })
      const lines = (/** @type {number} */ from) => Array.from({ length: 3 }, (_, index) => `${from + index}:${String(from + index).padStart(32, '0')}:Tern ${from + index}`)
      await server.api('api-pool/batch', { data: lines(20_100_001).join('\n') })
      await server.api('api-pool/batch', { data: lines(20_200_001).join('\n'), group_id: sign.id })
      ;({ page, troubles } = await openPage(browser, server.url, options))
      await page.goto('/groups')
      await signIn(page)
      await page.getByText('Sign-in').first().waitFor()
    })
    after(async () => {
      await page?.context().close()
      await server?.stop()
    })
    afterEach(async () => {
      await closeNotices(page)
      assert.deepEqual(troubles.splice(0), [])
    })

    it('adds a group, and says what is missing', async () => {
      await hasNoBarriers(page)
      await button('Add group').first().click()
      await dialog().getByRole('button', { name: 'Add group' }).click()
      await dialog().getByText('Enter a name.').waitFor()
      await dialog().getByLabel('Name').fill('Night')
      await dialog().getByLabel('Description').fill('Runs while others sleep')
      await dialog().getByText('Green', { exact: true }).locator('..').click()
      await select('Strategy', 'Round robin')
      await button('Add attribute').click()
      await dialog().getByLabel('Key of attribute 1').fill('region')
      await dialog().getByLabel('Value of attribute 1').fill('eu')
      await hasNoBarriers(page)
      await dialog().getByRole('button', { name: 'Add group' }).click()
      await saved()
      const { name, description, color, strategy, attributes } = await group('Night')
      assert.deepEqual({ name, description, color, strategy, attributes }, { name: 'Night', description: 'Runs while others sleep', color: '#009e73', strategy: 'round_robin', attributes: { region: 'eu' } })
      await page.getByText('Night').first().waitFor()
      await page.getByRole('link', { name: /^Credentials of Sign-in/ }).click()
      await page.waitForURL(`/credentials?group_id=${(await group('Sign-in')).id}`)
      await page.goBack()
    })

    it('lets people choose when two have edited one group', async () => {
      await button('Edit Night').click()
      await dialog().getByLabel('Description').fill('Mine')
      await server.api(`api-pool/groups/${(await group('Night')).id}`, { description: 'Theirs' }, 'PUT')
      await dialog().getByRole('button', { name: 'Save' }).click()
      await dialog().getByRole('alert').getByText('Theirs', { exact: true }).last().waitFor()
      assert.match(troubles.splice(0).join(), /412/)
      assert.equal((await group('Night')).description, 'Theirs')
      await hasNoBarriers(page)
      await button('Save mine over theirs').click()
      await saved()
      assert.equal((await group('Night')).description, 'Mine')
      // The way back is to what stood just before, not to what was opened.
      await button('Undo').last().click()
      await eventually(async () => assert.equal((await group('Night')).description, 'Theirs'))
    })

    it('tries a rule before it is saved, and then saves it', async () => {
      await page.goto('/rules')
      await page.getByRole('heading', { name: 'No rules yet' }).waitFor()
      await button('Add rule').first().click()
      const match = dialog().getByRole('group', { name: 'Whom it is about' })
      await match.getByLabel('Account').fill('+86*')
      await select('A group', 'Sign-in')
      await dialog().getByText('Accounts like +86*').waitFor()
      await button('Try it').click()
      await dialog().getByText('Another credential is chosen.').waitFor()
      const [without, after] = [dialog().getByRole('region', { name: 'Without this rule' }), dialog().getByRole('region', { name: 'With this rule' })]
      assert.match(await without.innerText(), /Tern 2010000\d/)
      assert.match(await after.innerText(), /Tern 2020000\d[\s\S]*3 by a rule/)
      assert.deepEqual(await rules(), [])
      await hasNoBarriers(page)
      await dialog().getByLabel('Name').fill('China')
      await dialog().getByRole('button', { name: 'Add rule' }).click()
      await saved()
      const { effect, match: matched, target, priority } = await rule('China')
      assert.deepEqual({ effect, matched, target, priority }, { effect: 'bind', matched: { account: '+86*' }, target: { group_id: (await group('Sign-in')).id }, priority: 100 })
      assert.match((await rows().first().innerText()).replace(/\s+/g, ' '), /Accounts like \+86\* only group Sign-in/)
    })

    it('puts rules in order with one new priority, by button, keyboard and pointer', async () => {
      await server.api('api-pool/rules', { name: 'Tests', effect: 'deny', match: { account: 'test:*' }, priority: 90 })
      await server.api('api-pool/rules', { name: 'First', effect: 'prefer', target: { api_id: '20100001' }, priority: 80 })
      await button('Show').click()
      await inOrder(['China', 'Tests', 'First'])
      await button('Move First up').click()
      await inOrder(['China', 'First', 'Tests'])
      assert.deepEqual([(await rule('China')).priority, (await rule('Tests')).priority], [100, 90])
      await button('Undo').last().click()
      await inOrder(['China', 'Tests', 'First'])

      await button('Move China').focus()
      await page.keyboard.press('ArrowDown')
      await inOrder(['Tests', 'China', 'First'])
      await page.keyboard.press('ArrowDown')
      await inOrder(['Tests', 'First', 'China'])

      const handle = await button('Move China').boundingBox()
      const first = await rows().first().boundingBox()
      assert.ok(handle && first)
      await page.mouse.move(handle.x + 8, handle.y + 8)
      await page.mouse.down()
      await page.mouse.move(handle.x + 8, first.y + 4, { steps: 5 })
      await page.mouse.up()
      await inOrder(['China', 'Tests', 'First'])
      await hasNoBarriers(page)
    })

    it('reloads when somebody else has changed a rule that it would move', async () => {
      const meanwhile = async (/** @type {import('playwright-core').Route} */ route) => {
        await server.api(`api-pool/rules/${(await rule('First')).id}`, { priority: 500 }, 'PUT')
        await route.continue()
      }
      await page.route('**/api/admin/api-pool/rules/*', meanwhile, { times: 1 })
      await button('Move First up').click()
      await page.getByText('You now see the newest order').first().waitFor()
      assert.match(troubles.splice(0).join(), /412/)
      await inOrder(['First', 'China', 'Tests'])
    })

    it('switches a rule off, and back', async () => {
      const toggle = page.getByRole('switch', { name: 'Tests is on' })
      await toggle.click()
      await eventually(async () => assert.equal((await rule('Tests')).enabled, false))
      await button('Undo').last().click()
      await eventually(async () => assert.equal((await rule('Tests')).enabled, true))
      await eventually(async () => assert.equal(await toggle.getAttribute('aria-checked'), 'true'))
    })

    it('lets people choose when two have edited one rule', async () => {
      await button('Edit China').click()
      await dialog().getByLabel('Priority').fill('300')
      const { id } = await rule('China')
      await server.api(`api-pool/rules/${id}`, { priority: 200 }, 'PUT')
      await dialog().getByRole('button', { name: 'Save' }).click()
      const notice = dialog().getByRole('alert')
      await notice.getByRole('row', { name: /Priority/ }).waitFor()
      assert.deepEqual(await notice.getByRole('row', { name: /Priority/ }).locator('td').allInnerTexts(), ['200', '300'])
      assert.match(troubles.splice(0).join(), /412/)
      assert.equal((await rule('China')).priority, 200)
      await hasNoBarriers(page)
      await button('Take theirs, drop mine').click()
      await saved()
      assert.equal((await rule('China')).priority, 200)
    })

    it('keeps a group that a rule names, and deletes it when the rule is gone', async () => {
      await page.goto('/groups')
      await button('Delete Sign-in').click()
      await dialog().getByText('Its 3 credentials stay').waitFor()
      await dialog().getByText('China').waitFor()
      assert.ok(await dialog().getByRole('button', { name: 'Delete group' }).isDisabled())
      await hasNoBarriers(page)
      await dialog().getByRole('link', { name: 'Go to the rules' }).click()
      await button('Delete China').click()
      await dialog().getByText('may get other credentials too').waitFor()
      await hasNoBarriers(page)
      await dialog().getByRole('button', { name: 'Delete rule' }).click()
      await saved()
      assert.equal(await rule('China'), undefined)
      await button('Undo').last().click()
      await eventually(async () => assert.equal((await rule('China'))?.priority, 200))
      await server.api(`api-pool/rules/${(await rule('China')).id}`, undefined, 'DELETE')
      await page.goto('/groups')
      await button('Delete Sign-in').click()
      await dialog().getByText('No rule names it').waitFor()
      await dialog().getByRole('button', { name: 'Delete group' }).click()
      await saved()
      assert.equal(await group('Sign-in'), undefined)
      assert.equal((await server.api('api-pool/?limit=50')).total, 6)
    })

    it(`speaks 繁體中文${size === 'wide' ? '' : ' on a narrow screen'}`, async () => {
      await page.evaluate(() => localStorage.setItem('api-pool.locale', 'zh-TW'))
      await page.goto('/rules')
      await page.getByText('帳號符合 test:*').waitFor()
      await button('新增規則').click()
      await page.getByText('儲存前先試試').waitFor()
      await hasNoBarriers(page)
      await page.evaluate(() => localStorage.setItem('api-pool.locale', 'en'))
    })
  })
}
