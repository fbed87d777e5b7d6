/**
 * A time range as the URL says it: `range=24h`, which moves with the present, or `from=…&to=…`, which stands. The server
 * knows `from` and `to` only.
 */
import type { Filters } from './listState'
import { fromLocalInput } from './localMoment'

export const PRESETS = ['1h', '24h', '7d', '30d'] as const
export type Preset = (typeof PRESETS)[number]

/** Null is all the time there is. */
export type TimeRange = { preset: Preset } | { from: string | null; to: string | null } | null

/** The filters that a list names in its rules when it has a time range. */
export const RANGE_FILTERS = ['range', 'from', 'to'] as const

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const LENGTHS: Record<Preset, number> = { '1h': HOUR_MS, '24h': DAY_MS, '7d': 7 * DAY_MS, '30d': 30 * DAY_MS }

/** A preset that nobody knows is none; `from` and `to` go before a preset. */
export function readRange(filters: Filters): TimeRange {
  const { range, from, to } = filters
  if (from !== undefined || to !== undefined) return { from: from ?? null, to: to ?? null }
  return isPreset(range) ? { preset: range } : null
}

/** The changes that make a list's filters say this range, and no other. */
export function writeRange(range: TimeRange): Record<(typeof RANGE_FILTERS)[number], string | null> {
  if (range === null) return { range: null, from: null, to: null }
  return 'preset' in range ? { range: range.preset, from: null, to: null } : { range: null, from: range.from, to: range.to }
}

/** A query as the server takes it: the preset has become the moment that it begins at. */
export function askedIn<Query extends Record<string, string | number>>(query: Query, now: number): Query {
  const { range, ...asked } = query
  const from = isPreset(range) && asked.from === undefined && asked.to === undefined ? { from: new Date(now - LENGTHS[range]).toISOString() } : {}
  return { ...asked, ...from } as Query
}

/** The moment that a field of local time says. As an end it holds its whole minute. */
export function fromField(field: string, end: 'start' | 'end'): string | null {
  const moment = fromLocalInput(field)
  return moment === null || end === 'start' ? moment : new Date(Date.parse(moment) + 59_999).toISOString()
}

function isPreset(value: unknown): value is Preset {
  return (PRESETS as readonly unknown[]).includes(value)
}
