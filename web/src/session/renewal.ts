import { readPreference, writePreference } from '@/lib/storage'
import { OUR_MARK } from '@/api/transport'

export interface SignedIn {
  token: string
  /** Epoch milliseconds. */
  expiresAt: number
  user: { id: string; username: string; role: string; tenant_id: string }
}

/** Brings a fresh token for the person at this browser, or null when they must sign in. */
export type Renewal = () => Promise<SignedIn | null>

/** Says that a session may be there to renew, so that a first visit asks for none. It tells nothing else. */
const HINT = 'session'

export function rememberSession(isThere: boolean): void {
  writePreference(HINT, isThere ? 'yes' : 'no')
}

/** Whether asking for one is worth it. */
export function expectsSession(): boolean {
  return readPreference(HINT) === 'yes'
}

/**
 * The one place for silent renewal. It is asked before the first page, shortly before a token ends, and when the server
 * refuses one. The refresh token is in a cookie that no script reads; the server replaces it with each use.
 */
export function createRenewal(send: typeof fetch): Renewal {
  return async () => {
    if (!expectsSession()) return null
    const response = await send('/api/admin/refresh', { method: 'POST', headers: { 'X-Requested-With': OUR_MARK } })
    if (response.status === 401) {
      rememberSession(false)
      return null
    }
    if (!response.ok) throw new Error(`refresh: ${response.status}`)
    const { data } = (await response.json()) as { data: { token: string; expires_at: string; user: SignedIn['user'] } }
    return { token: data.token, expiresAt: Date.parse(data.expires_at), user: data.user }
  }
}
