// Importing, from a file on somebody's disk to a batch and back: every line is looked at before anything is written.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { openPage, startBrowser } from './browser.mjs'
import { startServer } from './server.mjs'
import { closeNotices, eventually, hasNoBarriers, signIn, SIZES } from './steps.mjs'
import { wordsIn } from './words.mjs'

const LINES = 1_000
const MANY = 12_000

const folder = mkdtempSync(join(tmpdir(), 'api-pool-import-'))
const server = await startServer()
const browser = await startBrowser()

after(async () => {
  await browser.close()
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

const size = async () => (await server.api('api-pool/health')).total_apis
const hashOf = (/** @type {number} */ id) => createHash('md5').update(String(id)).digest('hex')

/**
 * A file as people have them: a header that is not in our words, bad lines, the same twice, and something in the pool already.
 * @param {number} first the first `api_id`
 */
function rows(first) {
  const lines = Array.from({ length: LINES }, (_, at) => `${first + at},${hashOf(first + at)},海風 ${at}`)
  lines[10] = 'oops,nothing,x'
  lines[500] = `${first + 500},,no hash`
  lines[700] = lines[3] ?? ''
  lines[900] = `${first + 900},short,unusual`
  return ['編號,金鑰,稱呼', ...lines].join('\n')
}
const EXPECTED = { imported: LINES - 4, duplicates: 2, rejected: 2, warnings: 1 }

const STORIES = /** @type {const} */ ([
  { screen: 'wide', locale: 'en', browserLocale: 'en-US', first: 31_000_000 },
  { screen: 'narrow', locale: 'zh-TW', browserLocale: 'zh-TW', first: 32_000_000 },
])

for (const { screen, locale, browserLocale, first } of STORIES) {
  describe(`at ${SIZES[screen].viewport.width} px, ${locale}`, () => {
    const t = wordsIn(locale)
    /** @type {import('playwright-core').Page} */
    let page
    /** @type {string[]} */
    let troubles

    const count = (/** @type {number} */ value) => new Intl.NumberFormat(locale).format(value)
    const button = (/** @type {string} */ key, named = {}, /** @type {number | undefined} */ n = undefined) => page.getByRole('button', { name: t(key, named, n), exact: true })
    const view = (/** @type {string} */ key, /** @type {number} */ n) => page.getByRole('button', { name: `${t(key)} ${count(n)}`, exact: true })
    const shown = () => page.locator('[data-lines] li').allInnerTexts()
    const choose = async (/** @type {RegExp | string} */ column, /** @type {string} */ field) => {
      await page.getByRole('combobox', { name: column }).click()
      await page.getByRole('option', { name: field, exact: true }).click()
    }
    const bring = async (/** @type {string} */ name, /** @type {string} */ text, key = 'credentials.import.source.choose') => {
      const [chooser] = await Promise.all([page.waitForEvent('filechooser'), button(key).click()])
      await chooser.setFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(text) })
    }
    /** A folder, without a text. */
    const drop = async (/** @type {string} */ name, /** @type {string | null} */ text) => {
      const path = join(folder, name)
      if (text === null) mkdirSync(path)
      else writeFileSync(path, text)
      const box = await page.getByText(t('credentials.import.source.drop')).boundingBox()
      assert.ok(box !== null)
      const debug = await page.context().newCDPSession(page)
      for (const type of /** @type {const} */ (['dragEnter', 'dragOver', 'drop'])) {
        await debug.send('Input.dispatchDragEvent', { type, x: box.x + 5, y: box.y + 5, data: { items: [], files: [path], dragOperationsMask: 1 } })
      }
      await debug.detach()
    }
    const taken = async () => {
      const [download] = await Promise.all([page.waitForEvent('download'), button('credentials.import.download').click()])
      return { name: download.suggestedFilename(), lines: readFileSync(await download.path(), 'utf8').replace('\ufeff', '').trim().split('\r\n') }
    }

    before(async () => {
      ;({ page, troubles } = await openPage(browser, server.url, { ...SIZES[screen], locale: browserLocale }))
      await page.goto('/')
      await signIn(page)
      await page.locator('#content').waitFor()
      await server.api('api-pool/', { api_id: first + 1, api_hash: hashOf(first + 1), name: 'Here already' })
    })
    after(() => page?.context().close())
    afterEach(async () => {
      assert.deepEqual(troubles.splice(0), [])
      await closeNotices(page)
    })

    it('refuses what is no text, or more than the server takes', async () => {
      await page.goto('/import')
      await page.getByRole('heading', { level: 1, name: t('credentials.import.title') }).waitFor()
      await hasNoBarriers(page, 'empty')
      await bring('book.xlsx', 'PK\u0003\u0004\u0000')
      await page.getByRole('alert').getByText(t('credentials.import.source.noText', { name: 'book.xlsx' })).waitFor()
      await bring('huge.csv', 'x'.repeat(16 * 1024 * 1024 + 1))
      await page.getByRole('alert').getByText(t('credentials.import.source.tooLarge', { name: 'huge.csv', size: 17 })).waitFor()
      if (screen !== 'wide') return
      await drop('a folder', null)
      await page.getByRole('alert').getByText(t('credentials.import.source.noText', { name: 'a folder' })).waitFor()
    })

    it('asks which column is what, and shows no secret', async () => {
      // As with a mouse, where there is one.
      if (screen === 'wide') await drop('pool.csv', rows(first))
      else await bring('pool.csv', rows(first))
      await page.getByText(t('credentials.import.columns.lacking', { fields: ['api_id', 'api_hash'].join(t('common.listComma')) })).waitFor()
      assert.ok(await button('credentials.import.preview').isDisabled())
      await choose(/編號/, 'api_id')
      await choose(/金鑰/, 'api_hash')
      await choose(/稱呼/, t('credentials.form.field.name'))
      await hasNoBarriers(page, 'columns')
      assert.ok(!(await page.content()).includes(hashOf(first)))
    })

    it('says of every line what would become of it, and writes nothing', async () => {
      const before = await size()
      await button('credentials.import.preview').click()
      await view('credentials.import.view.all', LINES).waitFor()
      await view('credentials.import.view.new', EXPECTED.imported).waitFor()
      await view('credentials.import.view.warning', EXPECTED.warnings).waitFor()
      await view('credentials.import.view.duplicate', EXPECTED.duplicates).click()
      await eventually(async () => {
        const lines = await shown()
        assert.equal(lines.length, 2)
        assert.match(lines[0] ?? '', new RegExp(t('credentials.import.reason.inPool')))
        assert.match(lines[1] ?? '', new RegExp(t('credentials.import.reason.repeated', { a: 5 })))
      })
      await view('credentials.import.view.rejected', EXPECTED.rejected).click()
      await eventually(async () => assert.equal((await shown()).length, 2))
      assert.match((await shown()).join(), new RegExp(t('credentials.import.reason.missing', { a: 'api_hash' })))
      await hasNoBarriers(page, 'preview')
      const { name, lines } = await taken()
      assert.deepEqual([name, lines.length], ['pool-preview.csv', 1 + EXPECTED.rejected])
      assert.ok(!(await page.content()).includes(hashOf(first + 2)))
      assert.equal(await size(), before)
    })

    it('looks again when another word is said about it', async () => {
      await page.getByLabel(t('credentials.import.slots'), { exact: true }).fill('0')
      await page.getByText(t('credentials.form.between', { from: 1, to: 100000 })).waitFor()
      assert.ok(await button('credentials.import.preview').isDisabled())
      await page.getByLabel(t('credentials.import.slots'), { exact: true }).fill('7')
      await button('credentials.import.preview').click()
    })

    it('imports, tells the result of each line, and takes it back', async () => {
      const before = await size()
      await button('credentials.import.submit', { n: count(EXPECTED.imported) }, EXPECTED.imported).click()
      await page.getByRole('heading', { name: t('credentials.import.done', { n: count(EXPECTED.imported) }, EXPECTED.imported) }).waitFor()
      assert.equal(await size(), before + EXPECTED.imported)
      const { items } = await server.api(`api-pool/?api_id=${first + 2}`)
      assert.deepEqual([items[0].name, items[0].max_accounts], ['海風 2', 7])

      await view('credentials.import.view.imported', EXPECTED.imported).waitFor()
      const { lines } = await taken()
      assert.equal(lines.length, 1 + LINES)
      assert.equal(lines[0], ['credentials.import.csv.line', 'credentials.form.field.api_id', 'credentials.import.csv.outcome', 'credentials.import.csv.reason'].map((key) => t(key)).join(','))
      assert.equal(lines[1], `2,${first},${t('credentials.import.outcome.imported')},`)
      await hasNoBarriers(page, 'result')

      await button('credentials.import.undo.button').click()
      await page.getByRole('heading', { name: t('credentials.import.undone', { n: count(EXPECTED.imported) }, EXPECTED.imported) }).waitFor()
      assert.equal(await size(), before)
    })

    it('takes what is pasted, too', async () => {
      const before = await size()
      await button('credentials.import.again').click()
      await page.getByLabel(t('credentials.import.source.paste')).fill(`${first + 1}:${hashOf(first + 1)}\n${first + 5000}:${hashOf(first + 5000)}:Pasted\n`)
      await button('credentials.import.preview').click()
      await button('credentials.import.submit', { n: 1 }, 1).click()
      await page.getByRole('heading', { name: t('credentials.import.done', { n: 1 }, 1) }).waitFor()
      assert.equal(await size(), before + 1)
      await page.getByRole('button', { name: t('common.undo'), exact: true }).last().click()
      await page.getByRole('heading', { name: t('credentials.import.undone', { n: 1 }, 1) }).waitFor()
      assert.equal(await size(), before)
    })

    if (screen === 'wide') {
      it('looks at a long file in parts, and imports it as a job', async () => {
        const before = await size()
        await button('credentials.import.again').click()
        const lines = Array.from({ length: MANY }, (_, at) => `${41_000_000 + at}:${hashOf(at)}:Many ${at}`)
        lines[11_000] = lines[5] ?? ''
        await bring('many.txt', lines.join('\n'))
        await button('credentials.import.preview').click()
        await view('credentials.import.view.new', MANY - 1).waitFor()
        // Far down, then nothing, then all again: it begins at the top.
        await page.locator('[data-lines]').evaluate((list) => list.scrollTo(0, 100_000))
        await eventually(async () => assert.doesNotMatch((await shown()).join(), /41000000/))
        await view('credentials.import.view.rejected', 0).click()
        await page.getByText(t('credentials.import.noLines')).waitFor()
        await view('credentials.import.view.all', MANY).click()
        await eventually(async () => assert.match((await shown()).join(), /41000000/))
        await view('credentials.import.view.duplicate', 1).click()
        await eventually(async () => assert.match((await shown()).join(), new RegExp(`11,001[\\s\\S]*${t('credentials.import.reason.repeated', { a: 6 })}`)))
        await button('credentials.import.submit', { n: count(MANY - 1) }, MANY - 1).click()
        await page.getByRole('heading', { name: t('credentials.import.later.title') }).waitFor()
        await hasNoBarriers(page, 'job')
        await page.getByRole('heading', { name: t('credentials.import.done', { n: count(MANY - 1) }, MANY - 1) }).waitFor({ timeout: 60_000 })
        assert.equal(await size(), before + MANY - 1)
        await page.getByText(t('credentials.import.later.asPreview')).waitFor()
        await view('credentials.import.view.imported', MANY - 1).waitFor()
      })
    }
  })
}
