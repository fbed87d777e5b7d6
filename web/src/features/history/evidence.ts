import { LEVEL_TEXTS } from '@/lib/levels'
import { STRATEGY_TEXTS } from '@/lib/strategies'
import type { TextKey } from '@/i18n'
import type { Fields } from './journal'

/** One particular of a row of the journal, ready to be told. */
export interface Evidence {
  /** Where it stands: `code`, `totals.slots`. */
  key: string
  value: Told
}

/** A text that has a translation, a moment, a group that has a name, a truth, or what stands there. */
export type Told = { text: TextKey } | { moment: number } | { group: string } | { is: boolean } | { raw: string } | { nothing: true }

export interface Difference {
  key: string
  before: Told
  after: Told
}

/** The particulars that say something: what is empty is left out. */
export function evidenceOf(data: Fields): Evidence[] {
  return leaves(data)
    .map(([key, value]) => ({ key, value: told(key, value) }))
    .filter(({ value }) => !('nothing' in value))
}

/** What changed, field by field. What was there on one side only is nothing on the other. */
export function differencesOf(before: Fields | null, after: Fields | null): Difference[] {
  const [was, is] = [new Map(leaves(before ?? {})), new Map(leaves(after ?? {}))]
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((key) => JSON.stringify(was.get(key)) !== JSON.stringify(is.get(key)))
    .map((key) => ({ key, before: told(key, was.get(key)), after: told(key, is.get(key)) }))
    .filter(({ before, after }) => !('nothing' in before && 'nothing' in after))
}

function leaves(fields: Fields, prefix = ''): [string, unknown][] {
  return Object.entries(fields).flatMap(([name, value]): [string, unknown][] => {
    const isBranch = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isBranch ? leaves(value as Fields, `${prefix}${name}.`) : [[prefix + name, value]]
  })
}

function told(key: string, value: unknown): Told {
  if (value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)) return { nothing: true }
  if (typeof value === 'boolean') return { is: value }
  if (Array.isArray(value)) return { raw: value.map((one) => (typeof one === 'object' ? JSON.stringify(one) : String(one))).join(', ') }
  const text = String(value)
  const name = key.split('.').at(-1) ?? key
  if (name === 'group_id') return { group: text }
  const known = WORDS[name]?.[text]
  if (known !== undefined) return { text: known }
  return MOMENT.test(text) ? { moment: Date.parse(text) } : { raw: text }
}

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/

/** Values that are words of ours. Anything else stays as it is: codes, names, what a person wrote. */
const WORDS: Readonly<Record<string, Readonly<Record<string, TextKey>>>> = {
  reason: {
    released: 'history.word.released',
    expired: 'history.word.expired',
    forced: 'history.word.forced',
    fresh: 'history.word.fresh',
    'is being removed': 'history.word.beingRemoved',
    'its import was undone': 'history.word.importUndone',
  },
  by: { evidence: 'history.word.evidence' },
  strategy: {
    ...STRATEGY_TEXTS,
    affinity: 'accounts.strategy.affinity',
    manual: 'accounts.strategy.manual',
    existing: 'accounts.strategy.existing',
  },
  value: {
    enabled: 'history.word.enabled',
    disabled: 'history.word.disabled',
    banned: 'history.word.banned',
    normal: 'history.word.normal',
    warning: 'history.word.warning',
    critical: 'history.word.critical',
  },
  member_level: LEVEL_TEXTS,
  min_member_level: LEVEL_TEXTS,
  fault: {
    none: 'history.fault.none',
    credential: 'history.fault.credential',
    account: 'history.fault.account',
    proxy: 'history.fault.proxy',
    telegram: 'history.fault.telegram',
    client: 'history.fault.client',
    pending: 'history.fault.pending',
  },
}

/** Names of particulars. One that is not here is shown as it stands. */
export const FIELDS: Readonly<Record<string, TextKey>> = {
  value: 'history.field.value',
  code: 'history.field.code',
  fault: 'history.field.fault',
  reason: 'history.field.reason',
  by: 'history.field.by',
  strategy: 'history.field.strategy',
  until: 'history.field.until',
  expires_at: 'history.field.expires_at',
  allocated_at: 'history.field.allocated_at',
  cooldown_until: 'history.field.cooldown_until',
  account: 'history.column.account',
  ip: 'history.column.ip',
  level: 'history.field.member_level',
  allocation_id: 'history.field.allocation_id',
  member_level: 'history.field.member_level',
  min_member_level: 'history.field.min_member_level',
  operator: 'history.field.operator',
  asked_by: 'history.field.asked_by',
  proxy_id: 'history.field.proxy_id',
  consecutive_failures: 'history.field.consecutive_failures',
  after_failures: 'history.field.after_failures',
  failed_logins: 'history.field.failed_logins',
  login_only: 'history.field.login_only',
  include_hash: 'history.field.include_hash',
  bulk: 'history.field.bulk',
  api_id: 'history.field.api_id',
  api_hash: 'history.field.api_hash',
  name: 'history.field.name',
  note: 'history.field.note',
  tags: 'history.field.tags',
  description: 'history.field.description',
  priority: 'history.field.priority',
  is_premium: 'history.field.is_premium',
  max_accounts: 'history.field.max_accounts',
  group_id: 'history.field.group_id',
  credentials_moved: 'history.field.credentials_moved',
  batch_id: 'history.field.batch_id',
  imported: 'history.field.imported',
  duplicates: 'history.field.duplicates',
  rejected: 'history.field.rejected',
  removed: 'history.field.removed',
  rule_id: 'history.field.rule_id',
  effect: 'history.field.effect',
  enabled: 'history.field.enabled',
  user_id: 'history.field.user_id',
  username: 'history.field.username',
  role: 'history.field.role',
  session_id: 'history.field.session_id',
  sessions_ended: 'history.field.sessions_ended',
  token_id: 'history.field.token_id',
  product: 'history.field.product',
  scopes: 'history.field.scopes',
  view_id: 'history.field.view_id',
  repeated: 'history.field.repeated',
  method: 'history.field.method',
  route: 'history.field.route',
  job: 'history.field.job',
  job_id: 'history.field.job_id',
  attempts: 'history.field.attempts',
  used_percent: 'history.field.used_percent',
  banned_percent: 'history.field.banned_percent',
}
