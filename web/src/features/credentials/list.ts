import type { Column } from '@/components/dataTable'
import type { TextKey } from '@/i18n'
import type { ListRules } from '@/lib/listState'

export const LIST_RULES: ListRules = {
  filters: ['status', 'status!', 'group_id', 'group_id!', 'health_grade', 'health_grade!', 'min_member_level', 'min_member_level!', 'tags', 'tags!', 'is_premium'],
  sortable: ['created_at', 'api_id', 'name', 'priority', 'current_accounts', 'success_count', 'fail_count', 'health_score', 'last_allocated_at'],
  defaultSort: '-created_at',
  alongside: ['columns'],
}

/** The orders that are worth a name. */
export const SORTS: readonly { sort: string; label: TextKey }[] = [
  { sort: '-created_at', label: 'credentials.sort.newest' },
  { sort: 'created_at', label: 'credentials.sort.oldest' },
  { sort: 'name', label: 'credentials.sort.nameUp' },
  { sort: '-name', label: 'credentials.sort.nameDown' },
  { sort: 'health_score', label: 'credentials.sort.weakest' },
  { sort: '-last_allocated_at', label: 'credentials.sort.recent' },
  { sort: '-current_accounts', label: 'credentials.sort.fullest' },
  { sort: '-fail_count', label: 'credentials.sort.failing' },
]

/** Every column there is, in the order in which they stand. */
export const COLUMNS: readonly Column[] = [
  { key: 'apiId', label: 'credentials.column.apiId', width: '8.5rem', sortBy: 'api_id' },
  { key: 'name', label: 'credentials.column.name', sortBy: 'name' },
  { key: 'status', label: 'credentials.column.status', width: '8.5rem' },
  { key: 'slots', label: 'credentials.column.slots', width: '10.5rem', sortBy: 'current_accounts' },
  { key: 'results', label: 'credentials.column.results', width: '8.5rem', align: 'end', sortBy: 'success_count' },
  { key: 'health', label: 'credentials.column.health', width: '9rem', sortBy: 'health_score' },
  { key: 'group', label: 'credentials.column.group', width: '7.5rem' },
  { key: 'lastAllocated', label: 'credentials.column.lastAllocated', width: '8.5rem', align: 'end', sortBy: 'last_allocated_at' },
  { key: 'priority', label: 'credentials.list.column.priority', width: '6.5rem', align: 'end', sortBy: 'priority', extra: true },
  { key: 'level', label: 'credentials.list.column.level', width: '7.5rem', extra: true },
  { key: 'tags', label: 'credentials.list.column.tags', width: '12rem', extra: true },
  { key: 'failures', label: 'credentials.list.column.failures', width: '9rem', align: 'end', extra: true },
  { key: 'lastFailure', label: 'credentials.list.column.lastFailure', width: '8.5rem', align: 'end', extra: true },
  { key: 'banReason', label: 'credentials.list.column.banReason', width: '14rem', extra: true },
  { key: 'hash', label: 'credentials.list.column.hash', width: '8rem', extra: true },
  { key: 'phone', label: 'credentials.list.column.phone', width: '9rem', extra: true },
  { key: 'note', label: 'credentials.list.column.note', width: '16rem', extra: true },
  { key: 'created', label: 'credentials.list.column.created', width: '8.5rem', align: 'end', sortBy: 'created_at', extra: true },
  { key: 'updated', label: 'credentials.list.column.updated', width: '8.5rem', align: 'end', extra: true },
]

export const PAGE_SIZES = [50, 100, 200, 500] as const
export type PageSize = (typeof PAGE_SIZES)[number]
export const DEFAULT_PAGE_SIZE: PageSize = 100
