import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { listGroups, type Group } from '@/api/groups'
import { allPages } from '@/lib/allPages'
import { useList } from '@/lib/useList'
import type { ListPlace } from '@/lib/useListPlace'
import { PAGE_SIZE } from './list'

export function useGroupList(place: ListPlace) {
  return useList({ key: ['groups', 'list'], state: place.state, limit: PAGE_SIZE, ask: listGroups })
}

/** Every group, by name: for choosing one, and for naming those that only an id is known of. */
export function useGroups() {
  const { data, error } = useQuery({ queryKey: ['groups', 'all'], queryFn: ({ signal }) => allPages((query) => listGroups(query, signal)) })
  const groups = computed<readonly Group[]>(() => data.value?.toSorted((a, b) => a.name.localeCompare(b.name)) ?? [])
  const names = computed(() => new Map(groups.value.map(({ id, name }) => [id, name])))
  return { groups, names, error }
}
