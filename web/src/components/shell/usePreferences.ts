import type { DropdownMenuItem } from '@nuxt/ui/components/DropdownMenu.vue'
import { computed } from 'vue'
import { THEME_LOOKS, THEMES, theme } from '@/app/theme'
import { chooseLocale, currentLocale, useText } from '@/i18n'
import { LOCALE_NAMES, LOCALES } from '@/i18n/locale'

/** Language and theme as menu entries. */
export function usePreferences() {
  const { t } = useText()

  const languages = computed<DropdownMenuItem[]>(() =>
    LOCALE_NAMES.map((locale) => ({
      label: LOCALES[locale].name,
      type: 'checkbox',
      checked: locale === currentLocale(),
      lang: LOCALES[locale].lang,
      onSelect: () => void chooseLocale(locale),
    })),
  )
  const themes = computed<DropdownMenuItem[]>(() =>
    THEMES.map((name) => ({
      label: t(THEME_LOOKS[name].label),
      icon: THEME_LOOKS[name].icon,
      type: 'checkbox',
      checked: name === theme.value,
      onSelect: () => {
        theme.value = name
      },
    })),
  )
  return { languages, themes }
}
