import { useInfiniteQuery, type QueryKey } from '@tanstack/vue-query'
import { computed, shallowRef, toValue, watch, type MaybeRefOrGetter } from 'vue'
import type { Page } from '@/api/call'
import { asProblem } from '@/api/problem'
import { changedHereAt } from '@/lib/ownChanges'
import { steady, type Steady } from '@/lib/steadyRows'

/**
 * A list that grows downwards, page by page. What comes in while a person reads waits above until they ask for it, as in
 * the large lists.
 */
export function usePages<Item extends { id: string }>(key: MaybeRefOrGetter<QueryKey>, size: number, ask: (query: { limit: number; cursor?: string }, signal: AbortSignal) => Promise<Page<Item>>) {
  const query = useInfiniteQuery({
    queryKey: computed(() => toValue(key)),
    queryFn: ({ pageParam, signal }) => ask({ limit: size, ...(pageParam !== null && { cursor: pageParam }) }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor ?? null,
  })

  const newest = computed(() => query.data.value?.pages.flatMap(({ items }) => items))
  const shown = shallowRef<Steady<Item> | null>(null)
  let shownFor = ''
  let adoptedAt = 0

  function adopt() {
    adoptedAt = Date.now()
    shown.value = newest.value === undefined ? null : { rows: newest.value, added: 0, hasMoved: false }
  }

  watch(
    newest,
    (rows) => {
      const place = JSON.stringify([toValue(key), query.data.value?.pages.length])
      if (rows === undefined || shown.value === null || place !== shownFor || changedHereAt() > adoptedAt) adopt()
      else shown.value = steady(shown.value.rows, rows)
      shownFor = place
    },
    { immediate: true },
  )

  return {
    /** Undefined until the first answer. */
    rows: computed(() => shown.value?.rows),
    /** What the newest answer has that the rows don't show. */
    waiting: computed(() => ({ added: shown.value?.added ?? 0, hasMoved: shown.value?.hasMoved ?? false })),
    showNewest: adopt,
    total: computed(() => query.data.value?.pages.at(-1)?.total),
    problem: computed(() => (query.error.value === null ? null : asProblem(query.error.value))),
    isFetching: query.isFetching,
    isGrowing: query.isFetchingNextPage,
    hasMore: query.hasNextPage,
    more: () => void query.fetchNextPage(),
    again: () => void query.refetch(),
  }
}

export type Pages<Item> = Omit<ReturnType<typeof usePages<Item & { id: string }>>, 'rows'> & { rows: { value: readonly Item[] | undefined } }
