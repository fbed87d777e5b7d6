/** The languages of the pages, and which one a person gets. */
export const LOCALES = {
  en: { name: 'English', lang: 'en' },
  'zh-TW': { name: '繁體中文', lang: 'zh-Hant-TW' },
} as const

export type Locale = keyof typeof LOCALES
export const LOCALE_NAMES = Object.keys(LOCALES) as readonly Locale[]

export function isLocale(value: unknown): value is Locale {
  return typeof value === 'string' && Object.hasOwn(LOCALES, value)
}

/** The remembered choice, else the first of the browser's languages that we speak. Every Chinese reads 繁體中文 before English. */
export function pickLocale(remembered: string | null, preferred: readonly string[]): Locale {
  if (isLocale(remembered)) return remembered
  for (const language of preferred) {
    const tongue = language.toLowerCase().split('-')[0]
    if (tongue === 'zh') return 'zh-TW'
    if (tongue === 'en') return 'en'
  }
  return 'en'
}
