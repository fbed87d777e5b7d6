import type { MemberLevel } from '@/api/credentials'
import type { TextKey } from '@/i18n'

/** What to call a member level; the lowest first. */
export const LEVEL_TEXTS: Readonly<Record<MemberLevel, TextKey>> = {
  free: 'common.level.free',
  bronze: 'common.level.bronze',
  silver: 'common.level.silver',
  gold: 'common.level.gold',
  diamond: 'common.level.diamond',
  star: 'common.level.star',
  king: 'common.level.king',
}

export const LEVEL_NAMES = Object.keys(LEVEL_TEXTS) as MemberLevel[]

/** Null for what is no level. */
export function levelText(name: string): TextKey | null {
  return Object.hasOwn(LEVEL_TEXTS, name) ? LEVEL_TEXTS[name as MemberLevel] : null
}
