import type { TextKey } from '@/i18n'

/** The periods that one can look back over, as the address names them. */
export const RANGES = {
  '24h': { hours: 24, short: 'overview.range.day.short', name: 'overview.range.day.name' },
  '7d': { hours: 168, short: 'overview.range.week.short', name: 'overview.range.week.name' },
  '30d': { hours: 720, short: 'overview.range.month.short', name: 'overview.range.month.name' },
} as const satisfies Record<string, { hours: number; short: TextKey; name: TextKey }>

export type Range = keyof typeof RANGES
export const RANGE_NAMES = Object.keys(RANGES) as readonly Range[]
const DEFAULT: Range = '24h'

export function readRange(value: unknown): Range {
  return RANGE_NAMES.find((range) => range === value) ?? DEFAULT
}

/** The plain address stays plain. */
export function writeRange(range: Range): { range?: Range } {
  return range === DEFAULT ? {} : { range }
}

/** The period that an answer is about, which may still be the one chosen before. */
export function rangeOf(hours: number): Range {
  return RANGE_NAMES.find((range) => RANGES[range].hours === hours) ?? DEFAULT
}
