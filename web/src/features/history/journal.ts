import type { AuditEntry, HistoryEntry } from '@/api/journal'
import type { ListRules } from '@/lib/listState'
import { RANGE_FILTERS } from '@/lib/timeRange'

/** A row of the journal, whichever of its two lists tells it. */
export interface JournalRow {
  id: string
  at: string
  action: string
  who: string
  accountId: string | null
  apiId: string | null
  credentialId: string | null
  ip: string | null
  requestId: string | null
  /** The audit trail says it; the history is told what was done only. */
  outcome: Outcome | null
  before: Fields | null
  after: Fields | null
  data: Fields
}

export type Outcome = 'success' | 'failure'
export type Fields = Readonly<Record<string, unknown>>

export const PAGE_SIZE = 50

/** The journal has one order: the newest first. */
const NEWEST_FIRST = { sortable: [], defaultSort: '-created_at' }
const SHARED_FILTERS = ['action', 'action!', 'operator', 'operator!', ...RANGE_FILTERS]

export const HISTORY_RULES: ListRules = { ...NEWEST_FIRST, filters: SHARED_FILTERS }
export const AUDIT_RULES: ListRules = { ...NEWEST_FIRST, filters: [...SHARED_FILTERS, 'outcome', 'outcome!', 'ip', 'request_id'] }

/** The history leaves what changed among the particulars. */
export function fromHistory(entry: HistoryEntry): JournalRow {
  const { before, after, ...data } = (entry.data ?? {}) as Fields
  const { id, at, action, operator, account_id, api_id, ip, request_id } = entry
  return {
    ...{ id, at, action, ip, who: operator, accountId: account_id, apiId: api_id, requestId: request_id },
    ...{ credentialId: null, outcome: null, before: asFields(before), after: asFields(after), data },
  }
}

export function fromAudit(entry: AuditEntry): JournalRow {
  const { id, at, action, actor, outcome, account_id, api_id, credential_id, ip, request_id } = entry
  return {
    ...{ id, at, action, ip, who: actor, accountId: account_id, apiId: api_id, credentialId: credential_id, requestId: request_id },
    outcome: outcome === 'failure' ? 'failure' : 'success',
    ...{ before: asFields(entry.before), after: asFields(entry.after), data: (entry.data ?? {}) as Fields },
  }
}

/** A bare word is the value of the one thing that changed. */
function asFields(value: unknown): Fields | null {
  if (value === undefined || value === null) return null
  return typeof value === 'object' && !Array.isArray(value) ? (value as Fields) : { value }
}
