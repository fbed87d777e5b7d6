import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { getAccount, listAllocations, lookUpAccounts, previewAllocation, type AllocationRecord } from '@/api/allocation'
import { listCredentials, type Credential } from '@/api/credentials'
import { listHistory } from '@/api/journal'
import { useList } from '@/lib/useList'
import type { ListPlace } from '@/lib/useListPlace'
import { usePermissions } from '@/session/useMe'
import { bodyOf, faultsOf, type Ask } from './ask'
import { PAGE_SIZE } from './list'

/** The events of an account that its detail shows; the journal has the rest. */
export const PAST_AT_MOST = 30
/** So many ids fit into one parameter. */
const IDS_AT_ONCE = 150

export function useAllocationList(place: ListPlace) {
  return useList<AllocationRecord>({ key: ['accounts', 'list'], state: place.state, limit: PAGE_SIZE, ask: listAllocations })
}

export function useAccount(account: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => ['accounts', 'one', toValue(account)] as const),
    queryFn: ({ signal }) => getAccount(toValue(account), signal),
  })
}

export function useAccountPast(account: MaybeRefOrGetter<string>) {
  const { can } = usePermissions()
  return useQuery({
    queryKey: computed(() => ['accounts', 'past', toValue(account)] as const),
    queryFn: ({ signal }) => listHistory({ account_id: toValue(account), limit: PAST_AT_MOST }, signal),
    enabled: computed(() => can('credentials:read')),
  })
}

export function useLookup(keys: MaybeRefOrGetter<readonly string[]>) {
  return useQuery({
    queryKey: computed(() => ['accounts', 'lookup', toValue(keys)] as const),
    queryFn: ({ signal }) => lookUpAccounts([...toValue(keys)], signal),
    enabled: computed(() => toValue(keys).length > 0),
  })
}

/** What a request would come to now. The answer before stays in view until the next is here. */
export function usePreview(ask: MaybeRefOrGetter<Ask>, wanted: MaybeRefOrGetter<boolean> = true) {
  const { can } = usePermissions()
  return useQuery({
    queryKey: computed(() => ['accounts', 'preview', bodyOf(toValue(ask))] as const),
    queryFn: ({ signal }) => previewAllocation(bodyOf(toValue(ask)), signal),
    enabled: computed(() => toValue(wanted) && can('pool:allocate') && Object.keys(faultsOf(toValue(ask))).length === 0),
    placeholderData: keepPreviousData,
  })
}

/** How many credentials there are at all. */
export function usePoolSize(wanted: MaybeRefOrGetter<boolean>) {
  return useQuery({
    queryKey: ['accounts', 'pool'],
    queryFn: async ({ signal }) => {
      const { total, total_is_capped } = await listCredentials({ limit: 1 }, signal)
      return { total, total_is_capped }
    },
    enabled: computed(() => toValue(wanted)),
  })
}

/** Credentials by `api_id`, as what accounts hold names them. A deleted one is missing. */
export function useCredentialsOf(apiIds: MaybeRefOrGetter<readonly (string | null | undefined)[]>) {
  const { can } = usePermissions()
  const ids = computed(() => [...new Set(toValue(apiIds).filter((id) => typeof id === 'string' && id !== ''))].sort() as string[])
  const { data } = useQuery({
    queryKey: computed(() => ['accounts', 'credentials', ids.value] as const),
    queryFn: async ({ signal }) => {
      const parts = Array.from({ length: Math.ceil(ids.value.length / IDS_AT_ONCE) }, (_, part) => ids.value.slice(part * IDS_AT_ONCE, (part + 1) * IDS_AT_ONCE))
      const pages = await Promise.all(parts.map((part) => listCredentials({ api_id: part.join(','), limit: part.length }, signal)))
      return pages.flatMap(({ items }) => items)
    },
    enabled: computed(() => ids.value.length > 0 && can('credentials:read')),
    placeholderData: keepPreviousData,
  })
  const byApiId = computed(() => new Map<string, Credential>(data.value?.map((credential) => [credential.api_id, credential])))
  return (apiId: string | null | undefined) => (apiId ? byApiId.value.get(apiId) : undefined)
}
