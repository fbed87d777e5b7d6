import type { RouteLocationRaw } from 'vue-router'
import type { TextKey } from '@/i18n'

export interface NavigationEntry {
  label: TextKey
  icon: string
  to: RouteLocationRaw & { name: string }
}

/** What the sidebar offers, in order. */
export const NAVIGATION: readonly NavigationEntry[] = [{ label: 'credentials.title', icon: 'i-lucide-key-round', to: { name: 'credentials' } }]
