import type { Column } from '@/components/dataTable'
import type { ListRules } from '@/lib/listState'

export const PAGE_SIZE = 50

export const LIST_RULES: ListRules = { sortable: ['created_at'], defaultSort: '-created_at' }

export const COLUMNS: readonly Column[] = [
  { key: 'product', label: 'settings.tokens.column.product', width: '9rem' },
  { key: 'scopes', label: 'settings.tokens.column.scopes', width: '16rem' },
  { key: 'level', label: 'settings.tokens.column.level', width: '5.5rem' },
  { key: 'note', label: 'settings.tokens.column.note' },
  { key: 'created', label: 'settings.tokens.column.created', width: '8rem', align: 'end', sortBy: 'created_at' },
  { key: 'expires', label: 'settings.tokens.column.expires', width: '8rem', align: 'end' },
  { key: 'actions', label: 'settings.tokens.column.actions', width: '5.5rem', align: 'end' },
]
