import type { AccountState } from '@/api/allocation'
import { isAccountKey } from './ask'

/** The most that the server looks up at once. */
export const LOOKUP_AT_MOST = 500

export interface Pasted {
  /** Keys in their order, each once. */
  keys: string[]
  /** Lines that can't be keys. */
  unusable: number
  /** More keys than can be looked up at once. */
  beyond: number
}

/** Accounts out of a pasted text: one a line. A key may hold commas and spaces, so that only lines divide. */
export function readPasted(text: string): Pasted {
  const lines = text.split(/[\r\n\t]+/).map((line) => line.trim()).filter((line) => line !== '')
  const good = [...new Set(lines.filter(isAccountKey))]
  return { keys: good.slice(0, LOOKUP_AT_MOST), unusable: lines.filter((line) => !isAccountKey(line)).length, beyond: Math.max(0, good.length - LOOKUP_AT_MOST) }
}

/** One line of a lookup: an account, and what it holds if that is anything. */
export interface LookupRow {
  id: string
  held: AccountState | null
}

/** The answer in the order of the question. */
export function inOrder(keys: readonly string[], held: readonly AccountState[]): LookupRow[] {
  const byKey = new Map(held.map((state) => [state.account_id, state]))
  return keys.map((id) => ({ id, held: byKey.get(id) ?? null }))
}
