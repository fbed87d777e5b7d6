// Makes the pictures of docs/pictures from the real program. For the looks that most people see, have Inter and Noto Sans CJK installed.
import { mkdirSync, statSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openPage, startBrowser } from './browser.mjs'
import { fillPool, scored } from './demo.mjs'
import { startServer } from './server.mjs'
import { signIn, SIZES } from './steps.mjs'

const FOLDER = fileURLToPath(new URL('../../docs/pictures/', import.meta.url))
const LARGEST = 200_000
/** Charts are drawn after their data are there. */
const SETTLE_MS = 1_500

const WIDE = { viewport: { width: 1440, height: 800 } }
const NARROW = { ...SIZES.narrow, deviceScaleFactor: 2 }

/** @type {{ name: string, path: string, stands: string, options: import('playwright-core').BrowserContextOptions }[]} */
const PICTURES = [
  { name: 'overview-light-en', path: '/', stands: 'canvas', options: { ...WIDE, colorScheme: 'light', locale: 'en-US' } },
  { name: 'credentials-light-en', path: '/credentials', stands: '#content tbody code', options: { ...WIDE, colorScheme: 'light', locale: 'en-US' } },
  { name: 'credential-dark-en', path: '/credentials/:own', stands: '[role=dialog] dl', options: { ...WIDE, colorScheme: 'dark', locale: 'en-US' } },
  { name: 'preview-light-en', path: '/preview?account=%2B886912345678&strategy=health', stands: '#content ol', options: { ...WIDE, colorScheme: 'light', locale: 'en-US' } },
  { name: 'preview-dark-zh-TW', path: '/preview?account=%2B886912345678&strategy=health', stands: '#content ol', options: { ...WIDE, colorScheme: 'dark', locale: 'zh-TW' } },
  { name: 'overview-dark-zh-TW', path: '/', stands: 'canvas', options: { ...NARROW, colorScheme: 'dark', locale: 'zh-TW' } },
  { name: 'credentials-dark-zh-TW', path: '/credentials', stands: '#content ul code', options: { ...NARROW, colorScheme: 'dark', locale: 'zh-TW' } },
]

mkdirSync(FOLDER, { recursive: true })
const server = await startServer()
await fillPool(server.api)
await scored(server.api)
const { items } = await server.api('api-pool/?status=in_use&sort=health_score&limit=1')
const browser = await startBrowser()
for (const { name, path, stands, options } of PICTURES) {
  const { page, troubles } = await openPage(browser, server.url, options)
  await giveAPast(page)
  await page.goto('/sign-in')
  await signIn(page)
  await page.waitForURL('/')
  await page.goto(path.replace(':own', items[0].id))
  await page.locator(stands).first().waitFor()
  await page.locator('[data-link=live]').first().waitFor()
  await page.mouse.move(0, 0)
  await page.evaluate(() => document.fonts.ready)
  await setTimeout(SETTLE_MS)
  const file = `${FOLDER}${name}.png`
  await page.screenshot({ path: file, animations: 'disabled' })
  await page.context().close()
  const { size } = statSync(file)
  if (troubles.length > 0 || size >= LARGEST) throw new Error(`${name}: ${size} bytes ${troubles.join('\n')}`)
  console.log(`${file}: ${size} bytes`)
}
await browser.close()
await server.stop()

/**
 * The pool was filled a moment ago; what came of it is shown as if it had come over two days.
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
  await page.route('**/api/admin/api-pool/trend?*', async (route) => {
    const response = await route.fetch()
    const answer = await response.json()
    const { points, runway, before } = answer.data
    const { used, slots } = points.findLast((/** @type {{ used: number | null }} */ point) => point.used !== null) ?? { used: 374, slots: 954 }
    for (const [index, point] of points.entries()) {
      // People sleep: more is taken by day than by night.
      const day = 1 + Math.sin((index / points.length) * 2 * Math.PI - 2)
      const results = Math.round(80 + 160 * day)
      const failures = Math.round(results * (0.09 + 0.02 * Math.sin(index / 9) + 0.01 * Math.sin(index * 1.7)))
      Object.assign(point, { slots, used: Math.round(used * (0.62 + (0.38 * index) / points.length)), allocated: Math.round(2 + 4 * day + (index % 3)), released: Math.round(1 + 2 * day) })
      Object.assign(point, { successes: results - failures, failures, success_rate: (results - failures) / results })
    }
    Object.assign(runway, { slots_per_day: used * 0.08, full_in_days: (slots - used) / (used * 0.08) })
    Object.assign(before, { allocated: 391, released: 240, successes: 702, failures: 66, success_rate: 0.914, used: Math.round(used * 0.62) })
    await route.fulfill({ response, json: answer })
  })
}
