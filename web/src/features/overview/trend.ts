/** What the tiles and charts take from the pool's trend. Pure: the present is a parameter. */
import type { Trend } from '@/api/pool'
import type { Point } from '@/components/charts/chart'
import type { Rate } from './verdict'

type Step = Trend['points'][number]

const DAY_MS = 86_400_000
/** How much of the chart's width is left to what is expected. */
const AHEAD = 0.2

export interface Span {
  from: number
  /** One step's length in milliseconds. */
  step: number
}

export function spanOf({ points, step_seconds }: Trend, now: number): Span {
  const first = points[0]
  return { from: first === undefined ? now : Date.parse(first.at), step: step_seconds * 1_000 }
}

/** The present as the server has it: within the step under way, whatever the clock here says. */
export function presentOf({ points, step_seconds }: Trend, now: number): number {
  const last = points.at(-1)
  if (last === undefined) return now
  const begins = Date.parse(last.at)
  return Math.min(Math.max(now, begins), begins + step_seconds * 1_000)
}

/** What came in each step. */
export function counts({ points }: Trend, of: 'allocated' | 'released'): Point[] {
  return points.map((step) => [Date.parse(step.at), step[of]])
}

export function rates({ points }: Trend): Point[] {
  return points.map((step) => [Date.parse(step.at), step.success_rate])
}

/** How it stood at the end of each step; that of the last one is the present. */
export function levels(trend: Trend, of: 'slots' | 'used', now: number): Point[] {
  const { step } = spanOf(trend, now)
  return trend.points.map((point) => [Math.min(Date.parse(point.at) + step, now), point[of]])
}

/** From the last level on at the present pace, until the chart ends or the pool is full. None where it does not fill. */
export function forecast(trend: Trend, now: number): Point[] {
  const { slots_per_day: pace, full_in_days: days } = trend.runway
  const last = levels(trend, 'used', now).findLast(([, used]) => used !== null)
  if (pace === null || pace <= 0 || days === null || days === 0 || last === undefined || last[1] === null) return []
  const [at, used] = last
  const length = Math.min(endOf(trend, now) - at, days * DAY_MS)
  return [last, [at + length, used + (pace * length) / DAY_MS]]
}

/** Where the chart of the slots ends: after the present when something is expected. */
export function endOf(trend: Trend, now: number): number {
  const { slots_per_day: pace, full_in_days: days } = trend.runway
  const isExpected = pace !== null && pace > 0 && days !== null && days > 0
  return isExpected ? now + (now - spanOf(trend, now).from) * AHEAD : now
}

export function total({ points }: Trend, of: 'allocated' | 'released' | 'successes' | 'failures'): number {
  return points.reduce((sum, step: Step) => sum + step[of], 0)
}

export function rateOf(successes: number, failures: number): Rate {
  const results = successes + failures
  return { rate: results === 0 ? null : successes / results, results }
}

/** When the pool was first looked at within the period; null before that. */
export function measuredSince({ points }: Trend): number | null {
  const first = points.find(({ used }) => used !== null)
  return first === undefined ? null : Date.parse(first.at)
}

/** Under bars that say little about a rate that is high throughout, the axis begins a little below the lowest. */
export function rateFloor(points: readonly Point[]): number {
  const low = Math.min(1, ...points.map(([, rate]) => rate ?? 1))
  return Math.max(0, Math.floor((low - 0.02) * 10) / 10)
}
