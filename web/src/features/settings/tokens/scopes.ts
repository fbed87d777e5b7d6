import type { TokenScope } from '@/api/tokens'
import type { TextKey } from '@/i18n'

export const ALL: TokenScope = 'credpool:*'

/** What each scope lets a service do. */
export const SCOPES: Readonly<Record<TokenScope, TextKey>> = {
  'credpool:allocate': 'settings.scope.allocate',
  'credpool:release': 'settings.scope.release',
  'credpool:account': 'settings.scope.account',
  'credpool:report': 'settings.scope.report',
  'credpool:*': 'settings.scope.all',
}

export const SCOPE_NAMES = Object.keys(SCOPES) as TokenScope[]
