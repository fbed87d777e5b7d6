import type { MemberLevel } from '@/api/credentials'
import type { TextKey } from '@/i18n'

/** From lowest to highest. */
export const LEVELS: Record<MemberLevel, TextKey> = {
  free: 'credentials.form.level.free',
  bronze: 'credentials.form.level.bronze',
  silver: 'credentials.form.level.silver',
  gold: 'credentials.form.level.gold',
  diamond: 'credentials.form.level.diamond',
  star: 'credentials.form.level.star',
  king: 'credentials.form.level.king',
}
