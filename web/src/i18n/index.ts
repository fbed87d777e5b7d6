import type { Locale as UiLocale, Messages as UiMessages } from '@nuxt/ui/runtime/types/locale.js'
import { shallowRef } from 'vue'
import { createI18n, useI18n } from 'vue-i18n'
import { readPreference, writePreference } from '@/lib/storage'
import { isLocale, LOCALES, pickLocale, type Locale } from './locale'
import { loadPart, type Messages, type TextPart } from './parts'

export type { Messages }

type Keys<Node, Prefix extends string = ''> = {
  [Key in keyof Node & string]: Node[Key] extends string ? `${Prefix}${Key}` : Keys<Node[Key], `${Prefix}${Key}.`>
}[keyof Node & string]

/** Every key that has a text; a misspelled one doesn't compile. */
export type TextKey = Keys<Messages>

interface Translate {
  (key: TextKey, named?: Record<string, string | number>): string
  /** Picks among `none | one | many`. */
  (key: TextKey, named: Record<string, string | number>, count: number): string
}

export const i18n = createI18n({ legacy: false, locale: 'en' as Locale, missingWarn: false, fallbackWarn: false })

/** The texts of the component library in the same language. */
export const uiLocale = shallowRef<UiLocale<UiMessages>>()

const LOADERS = { en: () => import('./locales/en'), 'zh-TW': () => import('./locales/zh-TW') } satisfies Record<Locale, () => Promise<unknown>>
const FRAME = { en: () => import('./frame/en'), 'zh-TW': () => import('./frame/zh-TW') } satisfies Record<Locale, () => Promise<unknown>>

export const translate = i18n.global.t as Translate

export function useText(): { t: Translate } {
  return { t: useI18n({ useScope: 'global' }).t as Translate }
}

export function currentLocale(): Locale {
  const locale = i18n.global.locale.value
  return isLocale(locale) ? locale : 'en'
}

type Piece = TextPart | 'frame'

/** What is shown or was, and so must be there in every language that is chosen. */
const open = new Set<Piece>()
const loaded: Record<Locale, Set<Piece>> = { en: new Set(), 'zh-TW': new Set() }

async function load(locale: Locale, pieces: Iterable<Piece>): Promise<void> {
  await Promise.all(
    [...pieces].map(async (piece) => {
      if (loaded[locale].has(piece)) return
      const messages = piece === 'frame' ? (await FRAME[locale]()).messages : await loadPart(piece, locale)
      if (loaded[locale].has(piece)) return
      i18n.global.mergeLocaleMessage(locale, messages)
      loaded[locale].add(piece)
    }),
  )
}

/** Loads a language and shows it; the others are not loaded. */
export async function showLocale(locale: Locale): Promise<void> {
  const [{ messages, ui }] = await Promise.all([LOADERS[locale](), load(locale, open)])
  i18n.global.mergeLocaleMessage(locale, messages)
  // A page may come while its language goes.
  while ([...open].some((piece) => !loaded[locale].has(piece))) await load(locale, open)
  i18n.global.locale.value = locale
  uiLocale.value = ui
  document.documentElement.lang = LOCALES[locale].lang
}

/** Loads a part of the pages together with the texts that it and what it imports show (tests/reach.test.ts). */
export function speaking<Part>(part: () => Promise<Part>, ...pieces: Piece[]): () => Promise<Part> {
  return async () => {
    for (const piece of pieces) open.add(piece)
    const [shown] = await Promise.all([part(), load(currentLocale(), pieces)])
    return shown
  }
}

export async function chooseLocale(locale: Locale): Promise<void> {
  writePreference('locale', locale)
  await showLocale(locale)
}

export function initialLocale(): Locale {
  return pickLocale(readPreference('locale'), navigator.languages)
}
