import { computed, shallowRef } from 'vue'
import type { Renewal, SignedIn } from './renewal'

export type EndReason = 'signed_out' | 'expired'

/** A token this close to its end is renewed before it is used. */
const MARGIN_MS = 30_000

/**
 * Who is signed in. The token lives in this closure and nowhere else: no storage of the browser sees it, and after a
 * reload `renewal` brings the session back.
 */
export function createSession(renewal: Renewal, now: () => number = Date.now) {
  const current = shallowRef<SignedIn | null>(null)
  const endedBecause = shallowRef<EndReason | null>(null)
  let renewing: Promise<boolean> | null = null

  function begin(signedIn: SignedIn) {
    current.value = signedIn
    endedBecause.value = null
  }

  function end(reason: EndReason) {
    if (current.value === null) return
    current.value = null
    endedBecause.value = reason
  }

  /**
   * Asks for a fresh token; calls that come meanwhile share the answer. Without one the session has ended, if the server
   * said no, or goes on as it was, if it could not be asked.
   */
  function renew(): Promise<boolean> {
    renewing ??= askForToken().finally(() => (renewing = null))
    return renewing
  }

  async function askForToken(): Promise<boolean> {
    const before = current.value
    const fresh = await renewal().catch(() => undefined)
    // Whoever signed out or in meanwhile is not overruled by a late answer.
    if (fresh === undefined || current.value !== before) return false
    if (fresh === null) end('expired')
    else begin(fresh)
    return fresh !== null
  }

  return {
    user: computed(() => current.value?.user ?? null),
    isSignedIn: computed(() => current.value !== null),
    endedBecause: computed(() => endedBecause.value),
    token: () => current.value?.token ?? null,
    isStale: () => current.value !== null && current.value.expiresAt - MARGIN_MS <= now(),
    begin,
    end,
    renew,
  }
}

export type Session = ReturnType<typeof createSession>
