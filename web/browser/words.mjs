// The words on the pages, by their keys: a story that is told in both languages names none of them itself.
import { readdirSync, readFileSync } from 'node:fs'

/** @typedef {{ [name: string]: Node | string }} Node */

/** @param {'en' | 'zh-TW'} locale */
export function wordsIn(locale) {
  /** @type {Map<string, Node>} */
  const folders = new Map()

  /**
   * All texts of a folder, whatever parts they come in.
   * @param {string} path
   * @returns {Node}
   */
  function read(path) {
    const folder = new URL(`../src/${path}/texts/`, import.meta.url)
    const parts = readdirSync(folder).filter((name) => name === `${locale}.json` || name.endsWith(`.${locale}.json`))
    return parts.map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8'))).reduce(merged, {})
  }

  /**
   * @param {string} key
   * @param {Record<string, string | number>} [named]
   * @param {number} [count] picks among `none | one | many`
   * @returns {string}
   */
  return (key, named = {}, count) => {
    const [folder = '', ...names] = key.split('.')
    if (!folders.has(folder)) folders.set(folder, read(folder === 'common' ? 'i18n' : `features/${folder}`))
    /** @type {Node | string | undefined} */
    let text = folders.get(folder)
    for (const name of names) text = typeof text === 'object' ? text[name] : undefined
    if (typeof text !== 'string') throw new Error(`no text is called ${key}`)
    const forms = text.split('|').map((form) => form.trim())
    const chosen = count === undefined || forms.length === 1 ? text : (forms[Math.min(count, forms.length - 1)] ?? '')
    return chosen.replace(/\{(\w+)\}/g, (_, name) => String(named[name] ?? ''))
  }
}

/**
 * @param {Node} into
 * @param {Node} more
 * @returns {Node}
 */
function merged(into, more) {
  for (const [name, value] of Object.entries(more)) {
    const had = into[name]
    into[name] = typeof had === 'object' && typeof value === 'object' ? merged(had, value) : value
  }
  return into
}
