import type { CredentialStatus, HealthGrade, MemberLevel } from '@/api/credentials'
import type { TextKey } from '@/i18n'

export const STATUS_LABELS: Record<CredentialStatus, TextKey> = {
  available: 'credentials.status.available',
  in_use: 'credentials.status.in_use',
  disabled: 'credentials.status.disabled',
  banned: 'credentials.status.banned',
}

export const STATUS_ICONS: Record<CredentialStatus, string> = {
  available: 'i-lucide-circle-check',
  in_use: 'i-lucide-circle-dot',
  disabled: 'i-lucide-circle-pause',
  banned: 'i-lucide-octagon-x',
}

export const GRADE_LABELS: Record<HealthGrade, TextKey> = {
  excellent: 'credentials.grade.excellent',
  good: 'credentials.grade.good',
  fair: 'credentials.grade.fair',
  poor: 'credentials.grade.poor',
  critical: 'credentials.grade.critical',
}

/** The lowest first. */
export const LEVEL_LABELS: Record<MemberLevel, TextKey> = {
  free: 'credentials.list.level.free',
  bronze: 'credentials.list.level.bronze',
  silver: 'credentials.list.level.silver',
  gold: 'credentials.list.level.gold',
  diamond: 'credentials.list.level.diamond',
  star: 'credentials.list.level.star',
  king: 'credentials.list.level.king',
}

/** How the server calls credentials that are in no group. */
export const NO_GROUP = 'none'
