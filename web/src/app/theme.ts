import { usePreferredDark } from '@vueuse/core'
import { computed, ref, watchEffect } from 'vue'
import type { TextKey } from '@/i18n'
import { readPreference, writePreference } from '@/lib/storage'

/** Light, dark or as the system has it. public/first-paint.js does the same once, before anything is painted. */
export const THEMES = ['light', 'dark', 'system'] as const
export type Theme = (typeof THEMES)[number]

export const THEME_LOOKS: Record<Theme, { icon: string; label: TextKey }> = {
  light: { icon: 'i-lucide-sun', label: 'common.theme.light' },
  dark: { icon: 'i-lucide-moon', label: 'common.theme.dark' },
  system: { icon: 'i-lucide-monitor', label: 'common.theme.system' },
}

function readTheme(): Theme {
  const kept = readPreference('theme')
  return THEMES.find((theme) => theme === kept) ?? 'system'
}

const chosen = ref<Theme>(readTheme())

export const theme = computed({
  get: () => chosen.value,
  set: (value) => {
    chosen.value = value
    writePreference('theme', value)
  },
})

export function followTheme(): void {
  const systemIsDark = usePreferredDark()
  watchEffect(() => {
    const dark = chosen.value === 'dark' || (chosen.value === 'system' && systemIsDark.value)
    document.documentElement.classList.toggle('dark', dark)
    document.documentElement.classList.toggle('light', !dark)
  })
}
