import type { TextKey } from '@/i18n'

export interface Column {
  /** Names the slot: `cell-<key>`. */
  key: string
  label: TextKey
  /** A CSS width; columns without one share what is left. */
  width?: string
  align?: 'end'
  /** The server's field to sort by, when it can. */
  sortBy?: string
}
