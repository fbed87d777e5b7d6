/** Seconds of the units in which people think of leases. */
export const UNITS = { second: 1, minute: 60, hour: 3_600, day: 86_400 } as const
export type Unit = keyof typeof UNITS

/** The largest unit of which it is a whole number. */
export function unitOf(seconds: number | null): Unit {
  if (seconds === null) return 'hour'
  return (['day', 'hour', 'minute'] as const).find((unit) => seconds % UNITS[unit] === 0) ?? 'second'
}

export function inUnit(seconds: number, unit: Unit): number {
  return seconds / UNITS[unit]
}

/** How much of a lease is left, at least a second; null for none. */
export function secondsLeft(expiresAt: string | null, now: number): number | null {
  return expiresAt === null ? null : Math.max(1, Math.round((Date.parse(expiresAt) - now) / 1_000))
}
