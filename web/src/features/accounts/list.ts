import type { Column } from '@/components/dataTable'
import type { ListRules } from '@/lib/listState'

export const PAGE_SIZE = 50

/** The server has one order: the standing ones, the newest first, then those that have ended. */
export const LIST_RULES: ListRules = { sortable: [], defaultSort: '-created_at', filters: ['status', 'status!', 'account_id', 'api_id'] }

export const COLUMNS: readonly Column[] = [
  { key: 'account', label: 'accounts.column.account' },
  { key: 'credential', label: 'accounts.column.credential' },
  { key: 'status', label: 'accounts.column.status', width: '8rem' },
  { key: 'strategy', label: 'accounts.column.strategy', width: '11rem' },
  { key: 'operator', label: 'accounts.column.operator', width: '10rem' },
  { key: 'allocated', label: 'accounts.column.allocated', width: '8.5rem', align: 'end' },
  { key: 'ends', label: 'accounts.column.ends', width: '9.5rem', align: 'end' },
]

export const LOOKUP_COLUMNS: readonly Column[] = [
  { key: 'account', label: 'accounts.column.account' },
  { key: 'credential', label: 'accounts.column.credential' },
  { key: 'state', label: 'accounts.column.state', width: '9rem' },
  { key: 'strategy', label: 'accounts.column.strategy', width: '11rem' },
  { key: 'allocated', label: 'accounts.column.allocated', width: '8.5rem', align: 'end' },
  { key: 'ends', label: 'accounts.column.ends', width: '9.5rem', align: 'end' },
]
