import { computed, type MaybeRefOrGetter } from 'vue'
import { asProblem } from '@/api/problem'
import type { Ask } from './ask'
import { fullCount } from './outcome'
import { usePoolSize, usePreview } from './queries'

/** A preview, and how many credentials are full, which it does not say. */
export function usePreviewed(ask: MaybeRefOrGetter<Ask>) {
  const { data: preview, error, isFetching, isPlaceholderData, dataUpdatedAt, refetch } = usePreview(ask)
  const { data: pool } = usePoolSize(() => preview.value !== undefined)
  const full = computed(() => (preview.value === undefined ? null : fullCount(preview.value, pool.value)))
  return {
    /** The last answer belongs to another request when the newest one has failed. */
    preview: computed(() => (error.value !== null ? undefined : preview.value)),
    problem: computed(() => (error.value === null ? null : asProblem(error.value))),
    full,
    /** What is shown is of the request before. */
    isBehind: isPlaceholderData,
    isFetching,
    updatedAt: dataUpdatedAt,
    refresh: () => void refetch(),
  }
}
