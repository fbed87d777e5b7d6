import { useQuery } from '@tanstack/vue-query'
import { computed, type MaybeRefOrGetter } from 'vue'
import { listCredentials } from '@/api/credentials'
import { listGroups } from '@/api/groups'
import { listViews } from '@/api/views'
import { useList } from '@/lib/useList'
import type { ListPlace } from '@/lib/useListPlace'

/** As many as the server gives at once. */
const GROUPS = 500

export const VIEWS_PAGE = 'credentials'
export const VIEWS_KEY = ['views', VIEWS_PAGE] as const

export function useCredentialList(place: ListPlace, limit: MaybeRefOrGetter<number>) {
  return useList({ key: ['credentials', 'list'], state: place.state, limit, ask: listCredentials })
}

/** The groups by name, for choosing one. */
export function useGroupNames() {
  const { data } = useQuery({ queryKey: ['groups', 'names'], queryFn: ({ signal }) => listGroups({ limit: GROUPS }, signal), staleTime: 60_000 })
  return computed(() => [...(data.value?.items ?? [])].map(({ id, name }) => ({ id, name })).sort((a, b) => a.name.localeCompare(b.name)))
}

/** The views that the person has saved of this list. */
export function useViews() {
  const { data } = useQuery({ queryKey: VIEWS_KEY, queryFn: ({ signal }) => listViews(VIEWS_PAGE, signal), staleTime: 60_000 })
  return computed(() => [...(data.value?.items ?? [])].sort((a, b) => a.name.localeCompare(b.name)))
}
