import type { CredentialStatus, HealthGrade } from '@/api/credentials'
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

/** How the server calls credentials that are in no group. */
export const NO_GROUP = 'none'
