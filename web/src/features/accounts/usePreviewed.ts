import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { asProblem } from '@/api/problem'
import type { Ask } from './ask'
import { fullCount, hintsOf } from './outcome'
import { usePoolSize, usePreview } from './queries'
import { rankedOf } from './ranking'

/** A preview with what is made of it: the ranking, how many are full, and what would change it. */
export function usePreviewed(ask: MaybeRefOrGetter<Ask>) {
  const { data: preview, error, isFetching, isPlaceholderData, dataUpdatedAt, refetch } = usePreview(ask)
  const { data: pool } = usePoolSize(() => preview.value !== undefined)
  const full = computed(() => (preview.value === undefined ? null : fullCount(preview.value, pool.value)))
  return {
    /** The last answer belongs to another request when the newest one has failed. */
    preview: computed(() => (error.value !== null ? undefined : preview.value)),
    problem: computed(() => (error.value === null ? null : asProblem(error.value))),
    full,
    ranking: computed(() => preview.value?.candidates.map(rankedOf) ?? []),
    hints: computed(() => (preview.value === undefined ? [] : hintsOf(preview.value, toValue(ask), full.value))),
    /** What is shown is of the request before. */
    isBehind: isPlaceholderData,
    isFetching,
    updatedAt: dataUpdatedAt,
    refresh: () => void refetch(),
  }
}
