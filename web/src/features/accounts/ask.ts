import type { AllocateRequest } from '@/api/allocation'
import type { MemberLevel } from '@/api/credentials'
import type { StrategyName } from '@/api/pool'
import type { TextKey } from '@/i18n'
import { LEVEL_NAMES } from '@/lib/levels'
import { STRATEGY_NAMES } from '@/lib/strategies'

/** A request for a credential, as a form has it and as a preview's address says it. Empty is "not said". */
export interface Ask {
  account: string
  strategy: StrategyName | ''
  group: string
  apiId: string
  level: MemberLevel | ''
  fresh: boolean
  /** A lease of so many seconds; null lasts until released. */
  ttl: number | null
}

type Query = Record<string, string | null | undefined | (string | null)[]>

export const LONGEST_LEASE = 31_536_000
const LONGEST_KEY_BYTES = 128
const LARGEST_API_ID = 2_147_483_647

export function emptyAsk(account = ''): Ask {
  return { account, strategy: '', group: '', apiId: '', level: '', fresh: false, ttl: null }
}

export function readAsk(query: Query): Ask {
  const text = (name: string) => {
    const value = query[name]
    return ((Array.isArray(value) ? value[0] : value) ?? '').trim()
  }
  const [strategy, level, ttl] = [text('strategy'), text('level'), Number(text('ttl'))]
  return {
    account: text('account'),
    strategy: STRATEGY_NAMES.find((one) => one === strategy) ?? '',
    group: text('group'),
    apiId: text('api_id'),
    level: LEVEL_NAMES.find((one) => one === level) ?? '',
    fresh: text('fresh') === 'true',
    ttl: Number.isInteger(ttl) && ttl > 0 ? ttl : null,
  }
}

/** Leaves out what is not said. */
export function writeAsk(ask: Ask): Record<string, string> {
  const said = { account: ask.account, strategy: ask.strategy, group: ask.group, api_id: ask.apiId, level: ask.level, fresh: ask.fresh ? 'true' : '', ttl: ask.ttl === null ? '' : String(ask.ttl) }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== ''))
}

export function bodyOf(ask: Ask): AllocateRequest {
  return {
    account_id: ask.account,
    ...(ask.strategy !== '' && { strategy: ask.strategy }),
    ...(ask.group !== '' && { group_id: ask.group }),
    ...(ask.apiId !== '' && { api_id: ask.apiId }),
    ...(ask.level !== '' && { member_level: ask.level }),
    ...(ask.fresh && { fresh: true }),
    ...(ask.ttl !== null && { ttl_seconds: ask.ttl }),
  }
}

/** What is wrong with it, field by field; nothing when it may be sent. */
export function faultsOf(ask: Ask): Partial<Record<keyof Ask, TextKey>> {
  return {
    ...accountFault(ask.account),
    ...(ask.apiId !== '' && !isApiId(ask.apiId) && { apiId: 'accounts.fault.apiId' as const }),
    ...(ask.ttl !== null && !(Number.isInteger(ask.ttl) && ask.ttl >= 1 && ask.ttl <= LONGEST_LEASE) && { ttl: 'accounts.fault.ttl' as const }),
  }
}

function accountFault(account: string): { account?: TextKey } {
  if (account === '') return { account: 'accounts.fault.missing' }
  return isAccountKey(account) ? {} : { account: 'accounts.fault.account' }
}

/** Any text of 1 to 128 bytes without control characters. */
export function isAccountKey(text: string): boolean {
  return text !== '' && new TextEncoder().encode(text).length <= LONGEST_KEY_BYTES && !/[\u0000-\u001f\u007f-\u009f]/.test(text)
}

function isApiId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) >= 1 && Number(text) <= LARGEST_API_ID
}
