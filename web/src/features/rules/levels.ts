import type { MemberLevel } from '@/api/credentials'
import type { TextKey } from '@/i18n'

/** Member levels, the lowest first. */
export const LEVELS: Readonly<Record<MemberLevel, TextKey>> = {
  free: 'rules.level.free',
  bronze: 'rules.level.bronze',
  silver: 'rules.level.silver',
  gold: 'rules.level.gold',
  diamond: 'rules.level.diamond',
  star: 'rules.level.star',
  king: 'rules.level.king',
}

export const LEVEL_NAMES = Object.keys(LEVELS) as MemberLevel[]

export function levelKey(name: string): TextKey | null {
  return Object.hasOwn(LEVELS, name) ? LEVELS[name as MemberLevel] : null
}
