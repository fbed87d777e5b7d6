import type { HealthGrade } from '@/api/credentials'
import type { Settings } from '@/api/settings'
import type { Runway } from './runway'

/** Shares in percent at which the server itself speaks up. */
export interface Thresholds {
  warning: number
  critical: number
  banned: number
}

export interface Rate {
  /** 0 to 1; null without results. */
  rate: number | null
  results: number
}

/** What is known of the pool. What is null is not known: not yet, or not to this person. */
export interface Standing {
  credentials: number
  banned: number
  slots: number
  used: number
  thresholds: Thresholds | null
  grade: HealthGrade | null
  now: Rate | null
  before: Rate | null
  isMeasured: boolean | null
  runway: Runway | null
}

/** The worst that can be said, worst first. */
export type Verdict = 'closed' | 'full' | 'nearlyFull' | 'banned' | 'weak' | 'dropping' | 'filling' | 'unmeasured' | 'healthy'

/** Fewer results say nothing about a rate. */
const LEAST_RESULTS = 20
/** So much of a rate lost is worth a word. */
const DROP = 0.05
/** Full within so many days is filling up, however empty it is. */
const SOON_DAYS = 7

export function verdictOf(pool: Standing): Verdict {
  if (pool.slots <= 0) return 'closed'
  if (pool.used >= pool.slots) return 'full'
  const usedPercent = (100 * pool.used) / pool.slots
  if (pool.thresholds !== null && usedPercent >= pool.thresholds.critical) return 'nearlyFull'
  if (pool.thresholds !== null && (100 * pool.banned) / pool.credentials >= pool.thresholds.banned) return 'banned'
  if (pool.grade === 'poor' || pool.grade === 'critical') return 'weak'
  if (isDropping(pool)) return 'dropping'
  if ((pool.thresholds !== null && usedPercent >= pool.thresholds.warning) || isSoonFull(pool.runway)) return 'filling'
  return pool.isMeasured === false ? 'unmeasured' : 'healthy'
}

function isDropping({ now, before }: Standing): boolean {
  if (now?.rate == null || before?.rate == null || Math.min(now.results, before.results) < LEAST_RESULTS) return false
  // Rates are quotients: what is a loss of five points may be computed as a hair less.
  return before.rate - now.rate > DROP - 1e-9
}

function isSoonFull(runway: Runway | null): boolean {
  return runway?.is === 'hours' || (runway?.is === 'days' && runway.n <= SOON_DAYS)
}

/** Null where a threshold is missing. */
export function thresholdsOf({ settings }: Settings): Thresholds | null {
  const [warning, critical, banned] = ['capacity.warning_percent', 'capacity.critical_percent', 'capacity.banned_percent'].map((key) => {
    const value = settings.find((setting) => setting.key === key)?.value
    return typeof value === 'number' ? value : null
  })
  return warning == null || critical == null || banned == null ? null : { warning, critical, banned }
}
