// What people do on the pages, and what they then see.
import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { barriers } from './browser.mjs'
import { OWNER } from './server.mjs'

/** @typedef {import('playwright-core').Page} Page */

const PATIENCE_MS = 10_000
/** The smallest screen has room for some cards. */
const FEWEST_DRAWN = 6

export const SIZES = {
  wide: { viewport: { width: 1440, height: 900 } },
  narrow: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
}

/**
 * Looks again until what it says holds.
 * @param {() => Promise<void>} assertion
 */
export async function eventually(assertion) {
  for (const until = Date.now() + PATIENCE_MS; ; await setTimeout(25)) {
    try {
      return await assertion()
    } catch (error) {
      if (Date.now() > until) throw error
    }
  }
}

/**
 * @param {Page} page
 * @param {string} [password]
 */
export async function signIn(page, password = OWNER.password) {
  await page.locator('[name=username]').fill(OWNER.username)
  await page.locator('[name=password]').fill(password)
  await page.locator('[type=submit]').click()
}

/**
 * The `api_id` of each row or card, from the top.
 * @param {Page} page
 */
export function shownIds(page) {
  return page.locator('#content :is(tbody, ul) code').allTextContents()
}

/**
 * Waits until the list begins with these. Only rows in view are drawn, so that later ones may be missing.
 * @param {Page} page
 * @param {string[]} ids
 */
export function showsFirst(page, ids) {
  return eventually(async () => {
    const shown = await shownIds(page)
    assert.deepEqual(shown, ids.slice(0, shown.length))
    assert.ok(shown.length >= Math.min(FEWEST_DRAWN, ids.length), `${shown.length} of ${ids.length} are drawn`)
  })
}

/**
 * What the pager says: which rows of how many.
 * @param {Page} page
 */
export function shownRange(page) {
  return page.locator('#content nav [role=status]').innerText()
}

/**
 * Opens the menu behind a button and takes an entry.
 * @param {Page} page
 * @param {string | RegExp} button
 * @param {string} entry
 */
export async function choose(page, button, entry) {
  await page.getByRole('button', { name: button }).click()
  await page.locator('[role=menu]').locator('[role^=menuitem]').filter({ hasText: entry }).click()
  await page.locator('[role=menu]').waitFor({ state: 'detached' })
}

/**
 * Takes notices away: on a small screen they stand over what comes next.
 * @param {Page} page
 */
export async function closeNotices(page) {
  const close = page.locator('ol[data-slot=viewport] [data-slot=close]')
  while ((await close.count()) > 0) await close.first().click({ timeout: 1_000 }).catch(() => undefined)
}

/**
 * The page as it stands, with its notices, has nothing that axe calls serious, light or dark, and is not wider than the
 * screen.
 * @param {Page} page
 * @param {string} [what] names it when it has
 */
export async function hasNoBarriers(page, what = new URL(page.url()).pathname) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await page.emulateMedia({ colorScheme })
    await eventually(async () => assert.equal(await page.evaluate(() => document.documentElement.classList.contains('dark')), colorScheme === 'dark'))
    assert.deepEqual(await barriers(page, 'html'), [], `${what}, ${colorScheme}`)
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await fits(page, what)
}

/**
 * The page is not wider than the screen.
 * @param {Page} page
 * @param {string} [what] names it when it is
 */
export async function fits(page, what = new URL(page.url()).pathname) {
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${what} fits`)
}

/**
 * Takes the secret that is shown once, and closes its dialog. Nothing else of the page ever has it.
 * @param {Page} page
 */
export async function takeSecret(page) {
  const dialog = page.getByRole('dialog')
  const close = page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true })
  const secret = await dialog.locator('[data-secret]').innerText()
  assert.ok(await close.isDisabled())
  await page.keyboard.press('Escape')
  assert.ok(await dialog.isVisible())
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, history.state, location.href]))
  assert.ok(!kept.includes(secret))
  await hasNoBarriers(page)
  await dialog.getByText('I have copied it').click()
  await close.click()
  await dialog.waitFor({ state: 'detached' })
  assert.ok(!(await page.content()).includes(secret))
  return secret
}
