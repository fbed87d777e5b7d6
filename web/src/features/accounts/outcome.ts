import type { Preview } from '@/api/allocation'
import type { MemberLevel } from '@/api/credentials'
import type { TextKey } from '@/i18n'
import type { Ask } from './ask'
import { LEVEL_NAMES } from '@/lib/levels'
import { ruleIn } from './words'

/** What a request would come to. The first five give a credential. */
export type OutcomeKind =
  | 'keeps'
  | 'returns'
  | 'pinned'
  | 'ruled'
  | 'ranked'
  /** 3001: there are some for this account, and all are full. Different from having none. */
  | 'full'
  /** 3002: none is for this account. */
  | 'ineligible'
  | 'denied'
  | 'banned'
  | 'unpinnable'
  | 'unavailable'
  | 'refused'

export interface Outcome {
  kind: OutcomeKind
  /** The rule that chose or refused. */
  rule: string | null
}

const REFUSALS: Readonly<Record<string, OutcomeKind>> = {
  pool_full: 'full',
  none_available: 'ineligible',
  denied_by_rule: 'denied',
  credential_banned: 'banned',
  pinned_unavailable: 'unpinnable',
  account_unavailable: 'unavailable',
}

export function outcomeOf({ would_use: via, refusal }: Preview): Outcome {
  if (via !== null) {
    const rule = ruleIn(via)
    if (rule !== null) return { kind: 'ruled', rule }
    return { kind: via === 'existing' ? 'keeps' : via === 'affinity' ? 'returns' : via === 'manual' ? 'pinned' : 'ranked', rule: null }
  }
  return { kind: REFUSALS[refusal?.code ?? ''] ?? 'refused', rule: told(refusal, 'rule') }
}

/** What the server names of why it refuses. */
function told(refusal: Preview['refusal'], what: string): string | null {
  return refusal?.details?.find(({ field }) => field === what)?.message ?? null
}

export function isGranted(kind: OutcomeKind): boolean {
  return ['keeps', 'returns', 'pinned', 'ruled', 'ranked'].includes(kind)
}

/** What stood against the pinned credential. */
export type PinFault = 'holds_another' | 'unknown' | 'full' | Reason

export type Reason = 'group' | 'banned' | 'disabled' | 'cooling' | 'level' | 'rule'
/** In the order in which they are looked at: a credential counts under the first that holds. */
export const REASONS: readonly Reason[] = ['group', 'banned', 'disabled', 'cooling', 'level', 'rule']

const PIN_FAULTS: readonly string[] = ['holds_another', 'unknown', 'full', ...REASONS] satisfies PinFault[]

/** Null when nothing did, or something that nobody knows yet. */
export function pinFault(refusal: Preview['refusal']): PinFault | null {
  const fault = told(refusal, 'pinned')
  return fault !== null && PIN_FAULTS.includes(fault) ? (fault as PinFault) : null
}

const ACCOUNT_STATES = ['cooling', 'frozen', 'retired'] as const

/** Why an account may get nothing new, and until when if that ends. */
export function accountFault(refusal: Preview['refusal']): { state: (typeof ACCOUNT_STATES)[number]; until: string | null } | null {
  const state = ACCOUNT_STATES.find((one) => one === told(refusal, 'account'))
  return state === undefined ? null : { state, until: told(refusal, 'until') }
}

/**
 * Eligible ones without a free slot, which the server does not count: what is left of the pool when the rejected and the
 * ranked are taken away. Null when the ranking shows its beginning only, or the pool was not counted to its end.
 */
export function fullCount(preview: Preview, pool: { total: number; total_is_capped?: boolean } | undefined, shownAtMost = 50): number | null {
  if (pool === undefined || pool.total_is_capped === true || preview.candidates.length >= shownAtMost) return null
  const rejected = Object.values(preview.rejected).reduce((sum, count) => sum + count, 0)
  return Math.max(0, pool.total - rejected - preview.candidates.length)
}

/** Something that would change the outcome: for the request, which can be tried at once, or for the pool, with the place to do it. */
export interface Hint {
  text: TextKey
  n?: number
  change?: Partial<Ask>
  to?: { name: string; query?: Record<string, string>; params?: Record<string, string> }
}

export const HIGHEST_LEVEL: MemberLevel = 'king'

export function hintsOf(preview: Preview, ask: Ask, full: number | null): Hint[] {
  const { kind } = outcomeOf(preview)
  const count = (reason: Reason) => preview.rejected[reason] ?? 0
  const byGroup: Hint[] = ask.group !== '' && count('group') > 0 ? [{ text: 'accounts.hint.group', n: count('group'), change: { group: '' } }] : []
  const byLevel: Hint[] = count('level') > 0 ? [{ text: 'accounts.hint.level', n: count('level'), change: { level: HIGHEST_LEVEL } }] : []
  const byPool: Hint[] = [
    ...(count('cooling') > 0 ? [{ text: 'accounts.hint.cooling' as const, n: count('cooling') }] : []),
    ...(count('disabled') > 0 ? [{ text: 'accounts.hint.disabled' as const, n: count('disabled'), to: listOf('disabled', ask) }] : []),
    ...(count('rule') > 0 ? [{ text: 'accounts.hint.rule' as const, n: count('rule'), to: { name: 'rules' } }] : []),
    ...(count('banned') > 0 ? [{ text: 'accounts.hint.banned' as const, n: count('banned'), to: listOf('banned', ask) }] : []),
  ]
  const add: Hint = { text: 'accounts.hint.import', to: { name: 'import' } }
  switch (kind) {
    case 'keeps':
      return [{ text: 'accounts.hint.keeps', change: { fresh: true } }]
    case 'returns':
      return [{ text: 'accounts.hint.returns', change: { fresh: true } }]
    case 'pinned':
      return [{ text: 'accounts.hint.unpin', change: { apiId: '' } }]
    case 'full':
      return [{ text: 'accounts.hint.grow', ...(full !== null && full > 0 && { n: full }), to: listOf('full', ask) }, ...byGroup, ...byLevel, ...byPool.filter(({ text }) => text !== 'accounts.hint.banned'), add]
    case 'ineligible':
      return [...byGroup, ...byLevel, ...byPool, add]
    case 'unpinnable': {
      const fault = pinFault(preview.refusal)
      return [...(fault === 'holds_another' ? [{ text: 'accounts.hint.moveToPinned' as const, change: { fresh: true } }] : []), { text: 'accounts.hint.unpin', change: { apiId: '' } }]
    }
    case 'banned':
      return [{ text: 'accounts.hint.leaveBanned', change: { fresh: true } }]
    case 'denied':
    case 'ruled':
      return [{ text: 'accounts.hint.rules', to: { name: 'rules' } }]
    default:
      return []
  }
}

/** The credentials that are out of the choice for a reason, as far as their list can tell them from the others. */
export function listOf(reason: Reason | 'full', ask: Pick<Ask, 'group' | 'level'>): NonNullable<Hint['to']> {
  const group: Record<string, string> = ask.group === '' ? {} : { group_id: ask.group }
  if (reason === 'rule') return { name: 'rules' }
  const query: Record<Exclude<typeof reason, 'rule'>, Record<string, string>> = {
    group: ask.group === '' ? {} : { 'group_id!': ask.group },
    banned: { status: 'banned', ...group },
    disabled: { status: 'disabled', ...group },
    cooling: { status: 'available,in_use', ...group },
    level: { min_member_level: LEVEL_NAMES.slice(LEVEL_NAMES.indexOf(ask.level === '' ? 'free' : ask.level) + 1).join(','), ...group },
    full: { status: 'in_use', sort: '-current_accounts', ...group },
  }
  return { name: 'credentials', query: query[reason] }
}
