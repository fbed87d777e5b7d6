import { readListState, type ListState } from '@/lib/listState'
import { LIST_RULES } from '../list'
import { DEFAULT_COLUMNS, readColumns, writeColumns, type Columns } from '../list/columns'

/** A view as it is kept: the address in full, so that another default changes no view. */
export type Definition = Readonly<Record<string, string>>

export function definitionOf({ q, filters, sort }: Omit<ListState, 'cursor'>, columns: Columns): Definition {
  return { ...filters, ...(q !== '' && { q }), sort, columns: writeColumns(columns) }
}

/** What the server kept, maybe of an older release: only what the list knows. */
export function readDefinition(kept: Readonly<Record<string, unknown>>): Definition {
  const texts = Object.fromEntries(Object.entries(kept).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
  return definitionOf(readListState(texts, LIST_RULES), readColumns(texts.columns ?? null) ?? DEFAULT_COLUMNS)
}

export function isSameDefinition(one: Definition, other: Definition): boolean {
  const text = (definition: Definition) => JSON.stringify(Object.entries(definition).sort(([a], [b]) => (a < b ? -1 : 1)))
  return text(one) === text(other)
}
