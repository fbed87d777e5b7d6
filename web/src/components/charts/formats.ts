/** Shares, changes and moments as charts and tiles say them. Pure: the locale is a parameter. */

const kept = new Map<string, unknown>()

function remembered<Format>(name: string, make: () => Format): Format {
  if (!kept.has(name)) kept.set(name, make())
  return kept.get(name) as Format
}

/** Of 0 to 1. Never rounded up to all: 99.98 % is not 100 %. */
export function formatShare(share: number, locale: string): string {
  const format = remembered(`share ${locale}`, () => new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }))
  return format.format(share < 1 ? Math.min(share, 0.999) : share)
}

/** With its sign, unless it is zero. */
export function formatChange(value: number, locale: string, digits = 0): string {
  const format = remembered(
    `change ${digits} ${locale}`,
    () => new Intl.NumberFormat(locale, { signDisplay: 'exceptZero', minimumFractionDigits: digits, maximumFractionDigits: digits }),
  )
  return format.format(value).replace('-', '−')
}

/** Small numbers need a digit more to say anything. */
export function formatRate(value: number, locale: string): string {
  return formatChange(value, locale, Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0)
}

/** Below the axis: the hour, and the day where one begins. */
export function axisTime(at: number, locale: string): string {
  const date = new Date(at)
  const isMidnight = date.getHours() === 0 && date.getMinutes() === 0
  const format = isMidnight
    ? remembered(`day ${locale}`, () => new Intl.DateTimeFormat(locale, { month: 'short', day: 'numeric' }))
    : remembered(`hour ${locale}`, () => new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }))
  return format.format(date)
}

/** A moment, or the time from it on for so many milliseconds. */
export function formatMoment(at: number, length: number, locale: string): string {
  const format = remembered(
    `moment ${locale}`,
    () => new Intl.DateTimeFormat(locale, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
  )
  return length > 0 ? format.formatRange(at, at + length) : format.format(at)
}

/** `15 min`, `6 hr`: the length of a step, in the largest unit that it fills. */
export function formatLength(milliseconds: number, locale: string): string {
  const minutes = milliseconds / 60_000
  const [unit, value] = minutes >= 1_440 ? (['day', minutes / 1_440] as const) : minutes >= 60 ? (['hour', minutes / 60] as const) : (['minute', minutes] as const)
  return remembered(`length ${unit} ${locale}`, () => new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 })).format(value)
}
