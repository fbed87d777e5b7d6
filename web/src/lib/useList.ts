import { keepPreviousData, useQuery, type QueryKey } from '@tanstack/vue-query'
import { computed, shallowRef, toValue, watch, type MaybeRefOrGetter } from 'vue'
import type { Page, PageRequest } from '@/api/call'
import { asProblem } from '@/api/problem'
import type { ListState } from './listState'
import { changedHereAt } from './ownChanges'
import { steady, type Steady } from './steadyRows'

interface ListOptions<Item> {
  /** Begins with the feature's own key, by which events find it. */
  key: QueryKey
  state: MaybeRefOrGetter<ListState>
  limit: MaybeRefOrGetter<number>
  ask: (query: PageRequest & Record<string, string | number>, signal: AbortSignal) => Promise<Page<Item>>
}

/**
 * One page of a list. The page before stays in view until the next one is here; what changes while a person looks is
 * patched in place, and what would move rows waits until they ask (see `steady`) or have changed something themselves.
 */
export function useList<Item extends { id: string }>({ key, state, limit, ask }: ListOptions<Item>) {
  const query = useQuery({
    queryKey: computed(() => [...key, toValue(state), toValue(limit)] as const),
    queryFn: ({ signal }) => {
      const { q, sort, cursor, filters } = toValue(state)
      return ask({ ...filters, limit: toValue(limit), sort, ...(q !== '' && { q }), ...(cursor !== null && { cursor }) }, signal)
    },
    placeholderData: keepPreviousData,
  })
  const { data, error, isFetching, isPlaceholderData, dataUpdatedAt, refetch } = query

  const shown = shallowRef<Steady<Item> | null>(null)
  let shownFor: unknown = null
  let adoptedAt = 0

  function adopt() {
    adoptedAt = Date.now()
    shown.value = data.value === undefined ? null : { rows: data.value.items, added: 0, hasMoved: false }
  }

  watch(
    [data, isPlaceholderData],
    ([page, placeholder]) => {
      if (page === undefined || placeholder) return
      const place = JSON.stringify([toValue(state), toValue(limit)])
      if (shown.value === null || place !== shownFor || changedHereAt() > adoptedAt) adopt()
      else shown.value = steady(shown.value.rows, page.items)
      shownFor = place
    },
    { immediate: true },
  )

  const problem = computed(() => (error.value === null ? null : asProblem(error.value)))

  return {
    problem,
    /** Undefined until the first answer, and when the rows at hand belong to another place that could not be reached. */
    page: computed(() => (problem.value !== null && isPlaceholderData.value ? undefined : data.value)),
    rows: computed(() => (data.value === undefined || (problem.value !== null && isPlaceholderData.value) ? undefined : (shown.value?.rows ?? data.value.items))),
    /** Another page is on its way; the rows are those of the one before. */
    isTurning: isPlaceholderData,
    isFetching,
    updatedAt: dataUpdatedAt,
    /** What the newest answer has that the rows don't show. */
    waiting: computed(() => ({ added: shown.value?.added ?? 0, hasMoved: shown.value?.hasMoved ?? false })),
    showNewest: adopt,
    refresh: async () => {
      await refetch()
      adopt()
    },
  }
}

export type List<Item> = Omit<ReturnType<typeof useList<Item & { id: string }>>, 'rows' | 'page'> & {
  rows: { value: readonly Item[] | undefined }
  page: { value: Page<Item> | undefined }
}
