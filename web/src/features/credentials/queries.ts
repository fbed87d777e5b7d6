import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'
import { listCredentials } from '@/api/client'
import type { ListState } from '@/lib/listState'
import { PAGE_SIZE } from './list'

/** One page of the list. The page before stays in view until the next one is here. */
export function useCredentialList(state: Ref<ListState>) {
  return useQuery({
    queryKey: computed(() => ['credentials', 'list', state.value] as const),
    queryFn: ({ queryKey: [, , { q, sort, cursor }], signal }) =>
      listCredentials({ limit: PAGE_SIZE, sort, ...(q !== '' && { q }), ...(cursor !== null && { cursor }) }, signal),
    placeholderData: keepPreviousData,
  })
}
