import type { Permission } from '@/api/session'
import type { TextKey } from '@/i18n'

/** What each permission lets one do. docs/permissions.md says the same. */
export const PERMISSIONS: Readonly<Record<Permission, TextKey>> = {
  'pool:allocate': 'settings.permission.pool_allocate',
  'pool:release': 'settings.permission.pool_release',
  'pool:account': 'settings.permission.pool_account',
  'pool:report': 'settings.permission.pool_report',
  'pool:set_level': 'settings.permission.pool_set_level',
  'credentials:read': 'settings.permission.credentials_read',
  'credentials:write': 'settings.permission.credentials_write',
  'credentials:delete': 'settings.permission.credentials_delete',
  'credentials:reveal': 'settings.permission.credentials_reveal',
  'audit:read': 'settings.permission.audit_read',
  'rules:write': 'settings.permission.rules_write',
  'settings:read': 'settings.permission.settings_read',
  'settings:write': 'settings.permission.settings_write',
  'tokens:read': 'settings.permission.tokens_read',
  'tokens:manage': 'settings.permission.tokens_manage',
  'users:read': 'settings.permission.users_read',
  'users:manage': 'settings.permission.users_manage',
}

/** A permission of a newer server is named as it is. */
export function permissionKey(name: string): TextKey | null {
  return Object.hasOwn(PERMISSIONS, name) ? PERMISSIONS[name as Permission] : null
}
