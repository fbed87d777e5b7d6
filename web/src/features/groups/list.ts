import type { Column } from '@/components/dataTable'
import type { ListRules } from '@/lib/listState'

export const PAGE_SIZE = 100

export const LIST_RULES: ListRules = { sortable: ['created_at'], defaultSort: '-created_at' }

export const COLUMNS: readonly Column[] = [
  { key: 'name', label: 'groups.column.name', width: '16rem' },
  { key: 'description', label: 'groups.column.description' },
  { key: 'strategy', label: 'groups.column.strategy', width: '12rem' },
  { key: 'credentials', label: 'groups.column.credentials', width: '8rem', align: 'end' },
  { key: 'created', label: 'groups.column.created', width: '8.5rem', align: 'end', sortBy: 'created_at' },
  { key: 'actions', label: 'groups.column.actions', width: '6rem', align: 'end' },
]
