import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { listGroups, type Group } from '@/api/groups'
import { currentLocale } from '@/i18n'
import { allPages } from '@/lib/allPages'

/** Every group, by name: for choosing one, and for naming those that only an id is known of. */
export function useGroups() {
  const { data, error, isPending } = useQuery({ queryKey: ['groups', 'all'], queryFn: ({ signal }) => allPages((query) => listGroups(query, signal)) })
  const groups = computed<readonly Group[]>(() => data.value?.toSorted((a, b) => a.name.localeCompare(b.name, currentLocale())) ?? [])
  const names = computed(() => new Map(groups.value.map(({ id, name }) => [id, name])))
  return { groups, names, error, isPending }
}
