import type { Role } from '@/api/session'
import type { TextKey } from '@/i18n'

interface RoleLook {
  label: TextKey
  hint: TextKey
  icon: string
}

export const ROLES: Readonly<Record<Role, RoleLook>> = {
  owner: { label: 'common.role.owner', hint: 'settings.roles.owner', icon: 'i-lucide-crown' },
  admin: { label: 'common.role.admin', hint: 'settings.roles.admin', icon: 'i-lucide-shield-user' },
  operator: { label: 'common.role.operator', hint: 'settings.roles.operator', icon: 'i-lucide-wrench' },
  auditor: { label: 'common.role.auditor', hint: 'settings.roles.auditor', icon: 'i-lucide-eye' },
}

export const ROLE_NAMES = Object.keys(ROLES) as Role[]
