import { useQuery } from '@tanstack/vue-query'
import { computed, type MaybeRefOrGetter } from 'vue'
import { listCredentials } from '@/api/credentials'
import { listViews } from '@/api/views'
import { useList } from '@/lib/useList'
import type { ListPlace } from '@/lib/useListPlace'

export const VIEWS_PAGE = 'credentials'
export const VIEWS_KEY = ['views', VIEWS_PAGE] as const

export function useCredentialList(place: ListPlace, limit: MaybeRefOrGetter<number>) {
  return useList({ key: ['credentials', 'list'], state: place.state, limit, ask: listCredentials })
}

/** The views that the person has saved of this list. */
export function useViews() {
  const { data } = useQuery({ queryKey: VIEWS_KEY, queryFn: ({ signal }) => listViews(VIEWS_PAGE, signal), staleTime: 60_000 })
  return computed(() => [...(data.value?.items ?? [])].sort((a, b) => a.name.localeCompare(b.name)))
}
