const DAY_MS = 86_400_000
const SOON_DAYS = 14

export type ExpiryState = 'never' | 'fine' | 'soon' | 'over'

/** How much longer a token is good, roughly. */
export function expiryState(expiresAt: number | null, now: number): ExpiryState {
  if (expiresAt === null) return 'never'
  if (expiresAt <= now) return 'over'
  return expiresAt - now <= SOON_DAYS * DAY_MS ? 'soon' : 'fine'
}

/** The lifetimes that are offered, in days. */
export const LIFETIMES = [30, 90, 365] as const

export function inDays(days: number, now: number): string {
  return new Date(now + days * DAY_MS).toISOString()
}
