/** What a chart over time shows, in words that know nothing of what draws it. */

/** A moment in epoch milliseconds, and what was measured then. Null is a gap: it was not measured. */
export type Point = readonly [at: number, value: number | null]

/** The series' colours, which people tell apart whatever their eyes, and the page's own ink. */
export const INKS = { blue: '#0072B2', orange: '#E69F00', green: '#009E73', red: '#D55E00', sky: '#56B4E9', pink: '#CC79A7' } as const
export type Ink = keyof typeof INKS | 'plain'

export interface Series {
  key: string
  name: string
  ink: Ink
  points: readonly Point[]
  /** What is not measured but expected. */
  isForecast?: boolean
  /** Bars only: drawn downwards, as what is taken away. */
  isDown?: boolean
}

/** The room between two lines, shaded. */
export interface Band {
  name: string
  ink: Ink
  lower: string
  upper: string
}

export interface TimeChart {
  /** What is seen, for people who don't see it. */
  description: string
  series: readonly Series[]
  band?: Band
  /** Where the axes begin and end; the vertical ones as far as they are fixed. */
  from: number
  to: number
  lowest?: number
  highest?: number
  unit: string
  /** One step's length: a value stands for what happened from `at` on, or, at zero, for how it was at that moment. */
  step: number
  format: (value: number) => string
}

/** The moments at which something can be pointed at: those of the measured series. */
export function moments(series: readonly Series[]): number[] {
  const all = series.filter(({ isForecast }) => isForecast !== true).flatMap(({ points }) => points.map(([at]) => at))
  return [...new Set(all)].sort((a, b) => a - b)
}

export function nearest(times: readonly number[], to: number): number | null {
  return times.reduce<number | null>((best, time) => (best === null || Math.abs(time - to) < Math.abs(best - to) ? time : best), null)
}

interface Reading {
  key: string
  name: string
  ink: Ink
  value: number | null
  isBand: boolean
}

/** What was measured at a moment: each series, and the room between the two that a band is between. */
export function readings({ series, band }: Pick<TimeChart, 'series' | 'band'>, at: number): Reading[] {
  const rows = series
    .filter(({ isForecast }) => isForecast !== true)
    .map(({ key, name, ink, points }) => ({ key, name, ink, value: points.find(([time]) => time === at)?.[1] ?? null, isBand: false }))
  if (band === undefined) return rows
  const [lower, upper] = [band.lower, band.upper].map((edge) => rows.find(({ key }) => key === edge)?.value ?? null)
  const value = lower == null || upper == null ? null : Math.max(0, upper - lower)
  return [...rows, { key: 'band', name: band.name, ink: band.ink, value, isBand: true }]
}

/** A value without neighbours makes no line: it is drawn as a dot. */
export function isAlone(points: readonly Point[], index: number): boolean {
  return points[index]?.[1] != null && points[index - 1]?.[1] == null && points[index + 1]?.[1] == null
}

export interface Extent {
  first: number
  last: number
  low: number
  high: number
}

/** Null when nothing was measured. */
export function extent(points: readonly Point[]): Extent | null {
  const values = points.map(([, value]) => value).filter((value) => value !== null)
  const [first, last] = [values[0], values.at(-1)]
  if (first === undefined || last === undefined) return null
  return { first, last, low: Math.min(...values), high: Math.max(...values) }
}

const HOUR_MS = 3_600_000
const HOUR_STEPS = [1, 2, 3, 6, 12]
const DAY_STEPS = [1, 2, 3, 5, 7, 14, 21, 30]
const MOST_TICKS = 6

/** Round moments of the clock here, few enough to be named side by side on the narrowest screen. */
export function ticks(from: number, to: number): number[] {
  const hours = (to - from) / HOUR_MS
  const byHours = HOUR_STEPS.find((step) => hours / step <= MOST_TICKS)
  const byDays = DAY_STEPS.find((step) => hours / 24 / step <= MOST_TICKS) ?? Math.ceil(hours / 24 / MOST_TICKS)
  const tick = new Date(from)
  tick.setHours(0, 0, 0, 0)
  // Set by the calendar, not counted in milliseconds: where summer time begins a day has 23 hours.
  const on = () => (byHours === undefined ? tick.setDate(tick.getDate() + byDays) : tick.setHours(tick.getHours() + byHours))
  while (tick.getTime() < from) {
    if (byHours === undefined) tick.setDate(tick.getDate() + 1)
    else on()
  }
  const found: number[] = []
  for (; tick.getTime() <= to; on()) found.push(tick.getTime())
  return found
}
