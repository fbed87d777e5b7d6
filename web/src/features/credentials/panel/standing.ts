import type { Credential } from '@/api/credentials'
import type { HistoryEntry } from '@/api/journal'
import { parseTime } from '@/lib/format'

/** Why a credential is as it is: what a person would want to know first comes first. */
export type Reason =
  | { is: 'banned'; reason: string | null; by: string | null; at: string | null; byEvidence: boolean; accounts: number }
  | { is: 'disabled'; reason: string | null; by: string | null; at: string | null; accounts: number }
  | { is: 'cooling'; until: string }
  | { is: 'failing'; times: number; last: string | null }
  | { is: 'draining'; over: number }
  | { is: 'full'; accounts: number }
  | { is: 'open'; free: number }

/** What made a decision about a credential, by its name in the journal. */
export const DECISIONS = 'api.disabled,api.enabled,api.banned,api.unbanned'

/** `decision`: the last one that the journal tells of, when it is known. */
export function reasonsOf(credential: Credential, decision: HistoryEntry | undefined, now: number): Reason[] {
  const reasons: Reason[] = []
  const { status, current_accounts: accounts, max_accounts: slots, cooldown_until: until } = credential
  const made = decision?.action === `api.${status}` ? decision : undefined
  const who = { by: made?.operator ?? null, at: made?.at ?? null }
  const told = text(made?.data?.reason)

  if (status === 'banned') reasons.push({ is: 'banned', reason: credential.ban_reason ?? told, ...who, byEvidence: made?.data?.by === 'evidence', accounts })
  if (status === 'disabled') reasons.push({ is: 'disabled', reason: told, ...who, accounts })
  const ends = parseTime(until)
  if (typeof until === 'string' && ends !== null && ends > now) reasons.push({ is: 'cooling', until })
  if (credential.consecutive_failures > 0) reasons.push({ is: 'failing', times: credential.consecutive_failures, last: credential.last_failure_at })

  const isEnabled = status === 'available' || status === 'in_use'
  if (accounts > slots) reasons.push({ is: 'draining', over: accounts - slots })
  else if (isEnabled && accounts === slots) reasons.push({ is: 'full', accounts })
  else if (isEnabled && !reasons.some((reason) => reason.is === 'cooling')) reasons.push({ is: 'open', free: credential.free_slots })
  return reasons
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
