import { describe, expect, it } from 'vitest'
import type { Setting } from '@/api/settings'
import { thresholdsOf, verdictOf, type Standing, type Verdict } from './verdict'

const HEALTHY: Standing = {
  credentials: 120,
  banned: 2,
  slots: 1_000,
  used: 400,
  thresholds: { warning: 80, critical: 95, banned: 30 },
  grade: 'excellent',
  now: { rate: 0.96, results: 500 },
  before: { rate: 0.97, results: 480 },
  isMeasured: true,
  runway: { is: 'days', n: 19, pace: 30 },
}

const CASES: [string, Partial<Standing>, Verdict][] = [
  ['nothing is wrong', {}, 'healthy'],
  ['it does not fill', { runway: { is: 'steady', pace: 0 } }, 'healthy'],
  ['the warning share is reached', { used: 800 }, 'filling'],
  ['just below it', { used: 799 }, 'healthy'],
  ['full within a week', { runway: { is: 'days', n: 7, pace: 90 } }, 'filling'],
  ['full within hours', { runway: { is: 'hours', n: 5, pace: 900 } }, 'filling'],
  ['the critical share is reached', { used: 950 }, 'nearlyFull'],
  ['no slot is free', { used: 1_000 }, 'full'],
  ['more is taken than there is', { used: 1_010 }, 'full'],
  ['nothing is enabled', { slots: 0, used: 0 }, 'closed'],
  ['many are banned', { banned: 36 }, 'banned'],
  ['the pool’s own grade is poor', { grade: 'poor' }, 'weak'],
  ['the pool’s own grade is fair', { grade: 'fair' }, 'healthy'],
  ['the rate fell by five points', { now: { rate: 0.92, results: 500 } }, 'dropping'],
  ['the rate fell by less', { now: { rate: 0.925, results: 500 } }, 'healthy'],
  ['the rate fell, of a few results', { now: { rate: 0.5, results: 19 } }, 'healthy'],
  ['the rate fell from that of a few results', { now: { rate: 0.9, results: 500 }, before: { rate: 1, results: 19 } }, 'healthy'],
  ['there was no rate before', { now: { rate: 0.5, results: 500 }, before: { rate: null, results: 0 } }, 'healthy'],
  ['nothing was measured yet', { isMeasured: false, runway: { is: 'unmeasured' } }, 'unmeasured'],
  ['nothing was measured, but it is nearly full', { isMeasured: false, used: 990 }, 'nearlyFull'],
  ['nobody knows whether it was measured', { isMeasured: null, runway: null, now: null, before: null }, 'healthy'],
  ['the thresholds are not known', { thresholds: null, used: 990, banned: 60 }, 'healthy'],
  ['the thresholds are not known, but the grade is', { thresholds: null, used: 990, grade: 'critical' }, 'weak'],
]

it.each(CASES)('%s', (_, change, verdict) => {
  expect(verdictOf({ ...HEALTHY, ...change })).toBe(verdict)
})

describe('thresholds', () => {
  const setting = (key: string, value: unknown) => ({ key, value }) as Setting
  const all = [setting('strategy', 'balanced'), setting('capacity.warning_percent', 70), setting('capacity.critical_percent', 90), setting('capacity.banned_percent', 10)]

  it('are those that count', () => {
    expect(thresholdsOf({ settings: all, version: 1 })).toEqual({ warning: 70, critical: 90, banned: 10 })
  })

  it('are unknown when one is missing', () => {
    expect(thresholdsOf({ settings: all.slice(0, 3), version: 1 })).toBeNull()
  })
})
