/** Numbers and times as people of a locale read them. Pure: locale and present are parameters. */

const numbers = new Map<string, Intl.NumberFormat>()
const exactTimes = new Map<string, Intl.DateTimeFormat>()
const relativeTimes = new Map<string, Intl.RelativeTimeFormat>()
const nowWords = new Map<string, Intl.RelativeTimeFormat>()

function kept<Format>(formats: Map<string, Format>, locale: string, make: () => Format): Format {
  let format = formats.get(locale)
  if (format === undefined) formats.set(locale, (format = make()))
  return format
}

export function formatCount(value: number, locale: string): string {
  return kept(numbers, locale, () => new Intl.NumberFormat(locale, { maximumFractionDigits: 0 })).format(value)
}

const SIZES = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

/** `340 byte`, `1.2 MB`. */
export function formatSize(bytes: number, locale: string): string {
  const step = bytes < 1_000 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log10(bytes) / 3))
  const options = { style: 'unit', unit: SIZES[step], unitDisplay: 'short', maximumFractionDigits: step < 2 ? 0 : 1 } as const
  return kept(numbers, `${locale} ${step}`, () => new Intl.NumberFormat(locale, options)).format(bytes / 1_000 ** step)
}

export function formatExact(time: number, locale: string): string {
  return kept(
    exactTimes,
    locale,
    () =>
      new Intl.DateTimeFormat(locale, {
        year: 'numeric',
        month: 'short',
        day: 'numeric',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
        hourCycle: 'h23',
        timeZoneName: 'short',
      }),
  ).format(time)
}

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

/** `3 hr. ago`, `in 5 min.`, and words only for now: "yesterday" would be vaguer than "30 hr. ago". Rounded towards the present. */
export function formatRelative(time: number, now: number, locale: string): string {
  const elapsed = Math.trunc((time - now) / 1000)
  if (Math.abs(elapsed) < 10) {
    return kept(nowWords, locale, () => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })).format(0, 'second')
  }
  const [unit, length] = STEPS.find(([, length]) => Math.abs(elapsed) >= length) ?? ['second', 1]
  const format = kept(relativeTimes, locale, () => new Intl.RelativeTimeFormat(locale, { style: 'short', numeric: 'always' }))
  return format.format(Math.trunc(elapsed / length), unit)
}

export function parseTime(value: string | null | undefined): number | null {
  if (value === null || value === undefined) return null
  const time = Date.parse(value)
  return Number.isNaN(time) ? null : time
}
