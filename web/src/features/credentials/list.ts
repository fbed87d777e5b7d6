import type { Column } from '@/components/dataTable'
import type { TextKey } from '@/i18n'
import type { ListRules } from '@/lib/listState'

export const PAGE_SIZE = 50

export const LIST_RULES: ListRules = {
  sortable: ['created_at', 'api_id', 'name', 'current_accounts', 'success_count', 'health_score', 'last_allocated_at'],
  defaultSort: '-created_at',
}

/** The orders that are worth a name. */
export const SORTS: readonly { sort: string; label: TextKey }[] = [
  { sort: '-created_at', label: 'credentials.sort.newest' },
  { sort: 'created_at', label: 'credentials.sort.oldest' },
  { sort: 'name', label: 'credentials.sort.nameUp' },
  { sort: '-name', label: 'credentials.sort.nameDown' },
  { sort: 'health_score', label: 'credentials.sort.weakest' },
  { sort: '-last_allocated_at', label: 'credentials.sort.recent' },
]

export const COLUMNS: readonly Column[] = [
  { key: 'apiId', label: 'credentials.column.apiId', width: '8.5rem', sortBy: 'api_id' },
  { key: 'name', label: 'credentials.column.name', sortBy: 'name' },
  { key: 'status', label: 'credentials.column.status', width: '8.5rem' },
  { key: 'slots', label: 'credentials.column.slots', width: '10.5rem', sortBy: 'current_accounts' },
  { key: 'results', label: 'credentials.column.results', width: '9rem', align: 'end', sortBy: 'success_count' },
  { key: 'health', label: 'credentials.column.health', width: '9rem', sortBy: 'health_score' },
  { key: 'group', label: 'credentials.column.group', width: '8rem' },
  { key: 'lastAllocated', label: 'credentials.column.lastAllocated', width: '8.5rem', align: 'end', sortBy: 'last_allocated_at' },
]
