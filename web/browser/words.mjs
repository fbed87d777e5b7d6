// The words on the pages, by their keys: a story that is told in both languages names none of them itself.
import { readFileSync } from 'node:fs'

/** @param {'en' | 'zh-TW'} locale */
export function wordsIn(locale) {
  /** @param {string} path */
  const read = (path) => JSON.parse(readFileSync(new URL(`../src/${path}/texts/${locale}.json`, import.meta.url), 'utf8'))
  /** @type {Map<string, unknown>} */
  const folders = new Map()

  /**
   * @param {string} key
   * @param {Record<string, string | number>} [named]
   * @param {number} [count] picks among `none | one | many`
   * @returns {string}
   */
  return (key, named = {}, count) => {
    const [folder = '', ...names] = key.split('.')
    if (!folders.has(folder)) folders.set(folder, read(folder === 'common' ? 'i18n' : `features/${folder}`))
    const text = names.reduce((node, name) => /** @type {never} */ (node)[name], /** @type {never} */ (folders.get(folder)))
    if (typeof text !== 'string') throw new Error(`no text is called ${key}`)
    const forms = /** @type {string} */ (text).split('|').map((form) => form.trim())
    const chosen = count === undefined || forms.length === 1 ? text : (forms[Math.min(count, forms.length - 1)] ?? '')
    return chosen.replace(/\{(\w+)\}/g, (_, name) => String(named[name] ?? ''))
  }
}
