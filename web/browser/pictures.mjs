// Makes the pictures of docs/pictures from the real program. For the looks that most people see, have Inter and Noto Sans CJK installed.
import { mkdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openPage, startBrowser } from './browser.mjs'
import { fillPool, scored } from './demo.mjs'
import { startServer } from './server.mjs'
import { signIn, SIZES } from './steps.mjs'

const FOLDER = fileURLToPath(new URL('../../docs/pictures/', import.meta.url))
const LARGEST = 200_000

/** @type {{ name: string, options: import('playwright-core').BrowserContextOptions }[]} */
const PICTURES = [
  { name: 'credentials-light-en', options: { viewport: { width: 1440, height: 800 }, colorScheme: 'light', locale: 'en-US' } },
  { name: 'credentials-dark-zh-TW', options: { ...SIZES.narrow, deviceScaleFactor: 2, colorScheme: 'dark', locale: 'zh-TW' } },
]

mkdirSync(FOLDER, { recursive: true })
const server = await startServer()
await fillPool(server.api)
await scored(server.api)
const browser = await startBrowser()
for (const { name, options } of PICTURES) {
  const { page, troubles } = await openPage(browser, server.url, { ...options, reducedMotion: 'reduce' })
  await giveAPast(page)
  await page.goto('/credentials')
  await signIn(page)
  await page.locator('#content :is(tbody, ul) code').first().waitFor()
  await page.mouse.move(0, 0)
  await page.evaluate(() => document.fonts.ready)
  const path = `${FOLDER}${name}.png`
  await page.screenshot({ path, animations: 'disabled' })
  await page.context().close()
  const { size } = statSync(path)
  if (troubles.length > 0 || size >= LARGEST) throw new Error(`${name}: ${size} bytes ${troubles.join('\n')}`)
  console.log(`${path}: ${size} bytes`)
}
await browser.close()
await server.stop()

/**
 * The pool was filled a moment ago; its allocations are shown as if they had come over two days.
 * @param {import('playwright-core').Page} page
 */
async function giveAPast(page) {
  await page.route('**/api/admin/api-pool/?*', async (route) => {
    const response = await route.fetch()
    const answer = await response.json()
    for (const [index, item] of answer.data.items.entries()) {
      const minutes = ((index * 37) % 61) ** 2 * 0.8
      if (item.last_allocated_at !== null) item.last_allocated_at = new Date(Date.parse(item.last_allocated_at) - minutes * 60_000).toISOString()
    }
    await route.fulfill({ response, json: answer })
  })
}
