import type { HistoryEntry } from '@/api/journal'

export interface Totals {
  imported: number
  duplicates: number
  rejected: number
}

/** How a batch ended, when the journal tells of its end; null while it runs. */
export function finished(batchId: string, entries: readonly HistoryEntry[]): Totals | null {
  const data = entries.find((entry) => entry.data?.batch_id === batchId)?.data
  return data == null ? null : { imported: Number(data.imported), duplicates: Number(data.duplicates), rejected: Number(data.rejected) }
}
