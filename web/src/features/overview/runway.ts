import type { Trend } from '@/api/pool'

/** How long the free slots last at the present pace. */
export type Runway =
  | { is: 'full' }
  | { is: 'hours' | 'days'; n: number; pace: number }
  /** So slowly that a date would be a guess. */
  | { is: 'far'; pace: number }
  | { is: 'steady'; pace: number }
  | { is: 'unmeasured' }

const HOURS_UNTIL_DAYS = 2
const FAR_DAYS = 365

export function runwayOf({ slots_per_day: pace, full_in_days: days }: Trend['runway']): Runway {
  if (days === 0) return { is: 'full' }
  if (pace === null) return { is: 'unmeasured' }
  if (days === null) return { is: 'steady', pace }
  if (days > FAR_DAYS) return { is: 'far', pace }
  return days < HOURS_UNTIL_DAYS ? { is: 'hours', n: Math.max(1, Math.round(days * 24)), pace } : { is: 'days', n: Math.round(days), pace }
}
