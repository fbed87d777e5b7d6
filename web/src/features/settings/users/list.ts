import type { Column } from '@/components/dataTable'
import type { ListRules } from '@/lib/listState'

export const PAGE_SIZE = 50

export const LIST_RULES: ListRules = { sortable: ['created_at'], defaultSort: '-created_at' }

export const COLUMNS: readonly Column[] = [
  { key: 'name', label: 'settings.users.column.name', width: '14rem' },
  { key: 'role', label: 'settings.users.column.role', width: '10rem' },
  { key: 'locked', label: 'settings.users.column.locked', width: '12rem' },
  { key: 'lastLogin', label: 'settings.users.column.lastLogin', width: '10rem', align: 'end' },
  { key: 'created', label: 'settings.users.column.created', width: '9rem', align: 'end', sortBy: 'created_at' },
  { key: 'actions', label: 'settings.users.column.actions', width: '5rem', align: 'end' },
]
