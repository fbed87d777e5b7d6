import type { Column } from '@/components/dataTable'
import { COLUMNS } from '../list'

/** Leads to the detail: a list without it would be a dead end. */
export const FIXED = 'name'

export type Columns = readonly string[]

export const DEFAULT_COLUMNS: Columns = COLUMNS.filter(({ extra }) => extra !== true).map(({ key }) => key)

/** Columns as an address or the browser's storage names them; null when it names none. They stand in the table's own order. */
export function readColumns(text: string | null): Columns | null {
  const named = new Set((text ?? '').split(','))
  const known = COLUMNS.filter(({ key }) => named.has(key)).map(({ key }) => key)
  return known.length === 0 ? null : withFixed(known)
}

export function writeColumns(columns: Columns): string {
  return columns.join(',')
}

export function isSame(one: Columns, other: Columns): boolean {
  return writeColumns(one) === writeColumns(other)
}

export function toggled(columns: Columns, key: string): Columns {
  return withFixed(columns.includes(key) ? columns.filter((one) => one !== key) : [...columns, key])
}

/**
 * What the address says of the columns, so that it shows the same to everybody: nothing only when they are those that
 * everybody sees who has chosen none, and this browser agrees.
 */
export function columnsInAddress(shown: Columns, remembered: Columns | null): string | null {
  return isSame(shown, DEFAULT_COLUMNS) && isSame(remembered ?? DEFAULT_COLUMNS, DEFAULT_COLUMNS) ? null : writeColumns(shown)
}

export function tableColumns(columns: Columns): readonly Column[] {
  return COLUMNS.filter(({ key }) => columns.includes(key))
}

function withFixed(columns: Columns): Columns {
  return COLUMNS.filter(({ key }) => key === FIXED || columns.includes(key)).map(({ key }) => key)
}
