import { listCredentials, type Credential } from '@/api/credentials'
import { inParts, type Target } from './target'

/** The most credentials that are looked at one by one before an action: what reaches further has no way back in one step. */
export const LOOKED_AT = 2_000

const ROWS = 500
/** A parameter may have 2,048 bytes: room for so many ids of Telegram's. */
const API_IDS = 150

/** The credentials as they are now, where a filter or some more of the list's parameters still find them. */
export async function stillThere(rows: readonly Credential[], filter: Readonly<Record<string, string>> = {}): Promise<Credential[]> {
  const ids = new Set(rows.map(({ id }) => id))
  const parts = inParts([...new Set(rows.map(({ api_id }) => api_id))], API_IDS)
  const pages = await Promise.all(parts.map((part) => listCredentials({ ...filter, limit: ROWS, api_id: part.join(',') })))
  return pages.flatMap(({ items }) => items).filter(({ id }) => ids.has(id))
}

/** Everything that an action is about to touch, as it is now; null when that is too much to look at. */
export async function before(target: Target, rows: readonly Credential[], reached: number): Promise<ReadonlyMap<string, Credential> | null> {
  if (reached > LOOKED_AT) return null
  const found = 'ids' in target ? await stillThere(rows) : await everything(target.filter)
  return new Map(found.map((row) => [row.id, row]))
}

async function everything(filter: Readonly<Record<string, string>>): Promise<Credential[]> {
  const found: Credential[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<typeof listCredentials>> = await listCredentials({ ...filter, limit: ROWS, sort: 'created_at', ...(cursor !== null && { cursor }) })
    found.push(...page.items)
    cursor = page.next_cursor ?? null
  } while (cursor !== null && found.length <= LOOKED_AT)
  return found
}
