// A browser that keeps to the program under test and tells everything that goes wrong in a page.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const CHROMIUM = '/usr/bin/chromium'
const PATIENCE_MS = 10_000
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Fails when there is no Chromium: pages that nobody has looked at are not tested. */
export function startBrowser() {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/**
 * A page of a new profile, light, without motion. `troubles` collects what nobody may see: errors in the console, what the content security
 * policy refused, failed calls, and requests to anybody else.
 * @param {import('playwright-core').Browser} browser
 * @param {string} origin
 * @param {import('playwright-core').BrowserContextOptions} options
 */
export async function openPage(browser, origin, options) {
  const context = await browser.newContext({ baseURL: origin, locale: 'en-US', colorScheme: 'light', reducedMotion: 'reduce', ...options })
  context.setDefaultTimeout(PATIENCE_MS)
  /** @type {string[]} */
  const troubles = []
  context.on('request', (request) => {
    if (/^(?:https?|wss?):/.test(request.url()) && new URL(request.url()).origin !== origin) troubles.push(`request to ${request.url()}`)
  })
  context.on('response', (response) => {
    if (response.status() >= 400) troubles.push(`${response.status()} ${response.request().method()} ${new URL(response.url()).pathname}`)
  })
  context.on('requestfailed', (request) => {
    // A call that the page itself no longer wants is no trouble.
    if (request.failure()?.errorText !== 'net::ERR_ABORTED') troubles.push(`${request.failure()?.errorText} ${request.url()}`)
  })
  context.on('weberror', (error) => troubles.push(`error: ${error.error().message}`))
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) troubles.push(`console: ${message.text()}`)
  })
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
      console.error(`content security policy: ${effectiveDirective} refused ${blockedURI}`)
    })
  })
  return { page: await context.newPage(), troubles }
}

/**
 * What axe calls serious or critical within an element, as `rule: element`.
 * @param {import('playwright-core').Page} page
 * @param {string} within
 * @returns {Promise<string[]>}
 */
export async function barriers(page, within) {
  // Through the debugger: a script tag would be refused by the content security policy, as it should be.
  const debug = await page.context().newCDPSession(page)
  /** @param {string} expression */
  const run = async (expression) => {
    const { result, exceptionDetails } = await debug.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
  }
  await run(`${axe}; void 0`)
  const { passes, violations } = await run(`axe.run("${within}", { resultTypes: ["violations"], preload: false })`)
  await debug.detach()
  if (passes.length === 0) throw new Error('axe has looked at nothing')
  return violations
    .filter((/** @type {import('axe-core').Result} */ { impact }) => impact === 'serious' || impact === 'critical')
    .flatMap((/** @type {import('axe-core').Result} */ { id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`))
}
