// How quick the pages are on a pool of 100,000 credentials: part of `make bench`, never a test. Machines are noisy, so each
// figure is the median of several loads in new browsers, beside a page that loads the same frame and nothing of the pool.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPage, startBrowser } from './browser.mjs'
import { OWNER, PROGRAM, startServer } from './server.mjs'
import { signIn } from './steps.mjs'

const CREDENTIALS = Number(process.env.BENCH_CREDENTIALS ?? 100_000)
const LOADS = Number(process.env.BENCH_LOADS ?? 5)

const folder = mkdtempSync(join(tmpdir(), 'api-pool-measure-'))
const database = join(folder, 'pool.db')
const lines = Array.from({ length: CREDENTIALS }, (_, index) => `${1_000_000 + index}:${(index * 7919).toString(16).padStart(32, '0')}:Credential ${index}`)
writeFileSync(join(folder, 'pool.txt'), lines.join('\n'))
const filled = spawnSync(PROGRAM, ['import', join(folder, 'pool.txt')], { env: { PATH: process.env.PATH, DATABASE_PATH: database, API_POOL_ADMIN_PASSWORD: OWNER.password }, encoding: 'utf8' })
if (filled.status !== 0) throw new Error(`import: ${filled.stderr}`)

const server = await startServer({ database })
const browser = await startBrowser()
const options = { viewport: { width: 1440, height: 900 } }

/** @type {Record<string, number[]>} */
const figures = {}
/** @param {string} name @param {number} value */
const note = (name, value) => (figures[name] ??= []).push(value)

for (let load = 0; load < LOADS; load += 1) {
  const { page } = await openPage(browser, server.url, options)
  await page.addInitScript(observe)
  await page.goto('/sign-in')
  await signIn(page)
  await page.waitForURL('/')

  // A new tab of somebody who is signed in: nothing but the cookie and the browser's cache is there.
  note('frame alone, ms', await timed(page, () => page.goto('/nowhere'), '#content h1'))
  note('list usable, ms', await timed(page, () => page.goto('/credentials'), '#content tbody code'))
  const seen = await page.evaluate(() => /** @type {any} */ (window).seen)
  note('largest contentful paint, ms', seen.largest)
  note('layout shift', seen.shift)
  note('blocked, ms', seen.blocked)
  note('list again, ms', await timed(page, () => page.reload(), '#content tbody code'))
  note('sorted, ms', await timed(page, () => page.getByRole('columnheader').filter({ hasText: 'api_id' }).getByRole('button').click(), '#content tbody :text-is("1000000")'))
  note('searched, ms', await timed(page, () => page.getByRole('searchbox').fill(String(1_000_000 + CREDENTIALS - 1)), `#content tbody :text-is("${1_000_000 + CREDENTIALS - 1}")`))
  await page.context().close()
}

await browser.close()
await server.stop()
rmSync(folder, { recursive: true, force: true })

console.log(`pages, ${CREDENTIALS.toLocaleString('en')} credentials, median of ${LOADS} loads (worst)`)
for (const [name, values] of Object.entries(figures)) {
  const sorted = values.toSorted((a, b) => a - b)
  const digits = name === 'layout shift' ? 3 : 0
  console.log(`  ${name.padEnd(30)} ${(sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(digits).padStart(8)} (${(sorted.at(-1) ?? 0).toFixed(digits)})`)
}

/**
 * Milliseconds from the start of something to the moment at which its outcome is drawn.
 * @param {import('playwright-core').Page} page
 * @param {() => Promise<unknown>} start
 * @param {string} outcome
 */
async function timed(page, start, outcome) {
  const began = performance.now()
  await Promise.all([start(), page.locator(outcome).first().waitFor()])
  return performance.now() - began
}

/** Runs in the page: what a person would notice of its loading. */
function observe() {
  const seen = ((/** @type {any} */ (window)).seen = { largest: 0, shift: 0, blocked: 0 })
  const watch = (/** @type {string} */ type, /** @type {(entry: any) => void} */ take) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true })
  watch('largest-contentful-paint', ({ startTime }) => (seen.largest = startTime))
  watch('layout-shift', ({ value, hadRecentInput }) => (seen.shift += hadRecentInput ? 0 : value))
  watch('longtask', ({ duration }) => (seen.blocked += duration - 50))
}
