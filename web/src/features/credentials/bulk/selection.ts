import type { Credential } from '@/api/credentials'
import type { ListState } from '@/lib/listState'

/** What is ticked: some rows, wherever they were found, or everything that the list finds. */
export type Selection =
  /** As each was seen last. */
  | { is: 'rows'; rows: ReadonlyMap<string, Credential> }
  | { is: 'all' }

export const NOTHING: Selection = { is: 'rows', rows: new Map() }

/** Ticks or unticks rows that are shown. Without one of them, everything is no longer everything: the others shown remain. */
export function ticked(selection: Selection, shown: readonly Credential[], ids: readonly string[], on: boolean): Selection {
  const rows = new Map(selection.is === 'all' ? shown.map((row) => [row.id, row]) : selection.rows)
  for (const row of shown) {
    if (!ids.includes(row.id)) continue
    if (on) rows.set(row.id, row)
    else rows.delete(row.id)
  }
  return selection.is === 'all' && on ? selection : { is: 'rows', rows }
}

/** The ids to be ticked among the rows shown. */
export function tickedIds(selection: Selection, shown: readonly { id: string }[]): ReadonlySet<string> {
  return new Set(selection.is === 'all' ? shown.map(({ id }) => id) : selection.rows.keys())
}

/** The selection with rows as they are now; the same one when nothing of it is among them. */
export function renewed(selection: Selection, rows: readonly Credential[]): Selection {
  if (selection.is === 'all') return selection
  const newer = rows.filter((row) => selection.rows.has(row.id) && selection.rows.get(row.id) !== row)
  return newer.length === 0 ? selection : { is: 'rows', rows: new Map([...selection.rows, ...newer.map((row) => [row.id, row] as const)]) }
}

export function without(selection: Selection, ids: readonly string[]): Selection {
  if (selection.is === 'all' || !ids.some((id) => selection.rows.has(id))) return selection
  return { is: 'rows', rows: new Map([...selection.rows].filter(([id]) => !ids.includes(id))) }
}

/** Ticked rows that were shown a moment ago and no longer are. */
export function vanished(selection: Selection, before: readonly { id: string }[], now: readonly { id: string }[]): Credential[] {
  if (selection.is === 'all') return []
  const here = new Set(now.map(({ id }) => id))
  return before.flatMap(({ id }) => (here.has(id) ? [] : (selection.rows.get(id) ?? [])))
}

/** Whether every row of the page is ticked, so that "all that match" can be offered. */
export function coversPage(selection: Selection, shown: readonly { id: string }[]): boolean {
  return selection.is === 'rows' && shown.length > 0 && shown.every(({ id }) => selection.rows.has(id))
}

/** The list's parameters that find what it shows, without order and page. */
export function filterOf({ q, filters }: Pick<ListState, 'q' | 'filters'>): Record<string, string> {
  return { ...filters, ...(q !== '' && { q }) }
}
