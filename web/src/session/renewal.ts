export interface SignedIn {
  token: string
  /** Epoch milliseconds. */
  expiresAt: number
  user: { id: string; username: string; role: string; tenant_id: string }
}

/** Brings a fresh token for the person at this browser, or null when they must sign in. */
export type Renewal = () => Promise<SignedIn | null>

/**
 * The one place for silent renewal. It is asked before the first page, shortly before a token ends, and when the server
 * refuses one. Until the server can renew, the answer is always "sign in".
 */
export const renewal: Renewal = () => Promise.resolve(null)
