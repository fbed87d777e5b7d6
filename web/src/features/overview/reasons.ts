import type { Credential } from '@/api/credentials'
import { parseTime } from '@/lib/format'

/** Why a credential is among the worst: the first of these that is true. */
export type Reason =
  | { is: 'banned'; why: string | null }
  | { is: 'failing'; n: number }
  | { is: 'cooling'; until: number }
  | { is: 'unreliable'; fail: number; results: number }
  | { is: 'weak' }

/** One failure may be anything; two in a row are a pattern. */
const PATTERN = 2

export function reasonOf(credential: Credential, now: number): Reason {
  const { status, ban_reason, consecutive_failures: inRow, success_count, fail_count: fail } = credential
  const until = parseTime(credential.cooldown_until)
  if (status === 'banned') return { is: 'banned', why: ban_reason }
  if (inRow >= PATTERN) return { is: 'failing', n: inRow }
  if (until !== null && until > now) return { is: 'cooling', until }
  if (fail > 0) return { is: 'unreliable', fail, results: success_count + fail }
  return { is: 'weak' }
}
