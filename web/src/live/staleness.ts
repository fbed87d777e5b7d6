import type { QueryClient, QueryKey } from '@tanstack/vue-query'

/** Events of so long are answered together. */
const GATHER_MS = 250
/** Under steady news a list is asked for at most so often. */
const REST_MS = 1_000

/**
 * Marks queries as out of date in batches, and has those that are on the screen asked for again. A query that is being
 * asked for already is asked once more when it is done: its answer may be from before the event.
 */
export function createStaleness(queries: QueryClient, now: () => number = Date.now) {
  const pending = new Map<string, QueryKey>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let ranAt = 0

  function touch(keys: readonly QueryKey[]) {
    for (const key of keys) pending.set(JSON.stringify(key), key)
    if (pending.size > 0) timer ??= setTimeout(run, Math.max(GATHER_MS, ranAt + REST_MS - now()))
  }

  function run() {
    timer = undefined
    ranAt = now()
    const later: QueryKey[] = []
    for (const key of pending.values()) {
      if (queries.isFetching({ queryKey: key, type: 'active' }) > 0) later.push(key)
      else void queries.invalidateQueries({ queryKey: key })
    }
    pending.clear()
    touch(later)
  }

  return { touch }
}
