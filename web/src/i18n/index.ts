import type { Locale as UiLocale, Messages as UiMessages } from '@nuxt/ui/runtime/types/locale.js'
import { shallowRef } from 'vue'
import { createI18n, useI18n } from 'vue-i18n'
import { readPreference, writePreference } from '@/lib/storage'
import { isLocale, LOCALES, pickLocale, type Locale } from './locale'

export type Messages = typeof import('./locales/en').messages & typeof import('./pages/en').messages

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

/** The texts of the pages are loaded when somebody is signed in. */
const PAGE_LOADERS = { en: () => import('./pages/en'), 'zh-TW': () => import('./pages/zh-TW') } satisfies Record<Locale, () => Promise<unknown>>
const LOADERS = { en: () => import('./locales/en'), 'zh-TW': () => import('./locales/zh-TW') } satisfies Record<Locale, () => Promise<unknown>>

export const translate = i18n.global.t as Translate

export function useText(): { t: Translate } {
  return { t: useI18n({ useScope: 'global' }).t as Translate }
}

export function currentLocale(): Locale {
  const locale = i18n.global.locale.value
  return isLocale(locale) ? locale : 'en'
}

let pagesAreOpen = false

/** Loads a language and shows it; the others are not loaded. */
export async function showLocale(locale: Locale): Promise<void> {
  const [{ messages, ui }, pages] = await Promise.all([LOADERS[locale](), pagesAreOpen ? PAGE_LOADERS[locale]() : null])
  i18n.global.setLocaleMessage(locale, { ...messages, ...pages?.messages })
  i18n.global.locale.value = locale
  uiLocale.value = ui
  document.documentElement.lang = LOCALES[locale].lang
}

/** To be awaited before the first page behind the door. */
export async function openPageTexts(): Promise<void> {
  if (pagesAreOpen) return
  pagesAreOpen = true
  await showLocale(currentLocale())
}

export async function chooseLocale(locale: Locale): Promise<void> {
  await showLocale(locale)
  writePreference('locale', locale)
}

export function initialLocale(): Locale {
  return pickLocale(readPreference('locale'), navigator.languages)
}
