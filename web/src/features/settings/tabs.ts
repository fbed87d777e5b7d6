import type { Permission } from '@/api/session'
import type { TextKey } from '@/i18n'

interface Tab {
  to: string
  label: TextKey
  icon: string
  needs?: Permission
}

/** The parts of the settings, in order. */
export const TABS: readonly Tab[] = [
  { to: 'settings', label: 'settings.pool.title', icon: 'i-lucide-sliders-horizontal', needs: 'settings:read' },
  { to: 'users', label: 'settings.users.title', icon: 'i-lucide-users', needs: 'users:read' },
  { to: 'roles', label: 'settings.roles.title', icon: 'i-lucide-table-properties' },
  { to: 'tokens', label: 'settings.tokens.title', icon: 'i-lucide-ticket', needs: 'tokens:read' },
  { to: 'you', label: 'settings.you.title', icon: 'i-lucide-circle-user-round' },
  { to: 'about', label: 'settings.about.title', icon: 'i-lucide-info' },
]
