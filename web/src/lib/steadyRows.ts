/**
 * Rows that don't move under the pointer. What changes in a row shown is patched where it stands; rows that came, went
 * or moved meanwhile wait until the person asks for them.
 */
export interface Steady<Item> {
  rows: readonly Item[]
  /** Rows of the newest answer that are not shown yet. */
  added: number
  /** The newest answer has other rows, or the same in another order. */
  hasMoved: boolean
}

export function steady<Item extends { id: string }>(shown: readonly Item[], newest: readonly Item[]): Steady<Item> {
  const byId = new Map(newest.map((item) => [item.id, item]))
  const known = new Set(shown.map(({ id }) => id))
  return {
    rows: shown.map((item) => byId.get(item.id) ?? item),
    added: newest.filter(({ id }) => !known.has(id)).length,
    hasMoved: shown.length !== newest.length || shown.some(({ id }, index) => newest[index]?.id !== id),
  }
}
