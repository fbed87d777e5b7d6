import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter, type Ref } from 'vue'
import { getCredential, getCredentialHealth, type Credential } from '@/api/credentials'
import { listHistory } from '@/api/journal'
import { DECISIONS } from './standing'

/** One credential, kept new by the events that touch it. */
export function useCredential(id: Ref<string>, enabled: MaybeRefOrGetter<boolean>) {
  return useQuery({
    queryKey: computed(() => ['credentials', 'one', id.value] as const),
    queryFn: ({ signal }) => getCredential(id.value, signal),
    enabled: computed(() => toValue(enabled)),
  })
}

export function useCredentialHealth(id: Ref<string>) {
  return useQuery({ queryKey: computed(() => ['credentials', 'health', id.value] as const), queryFn: ({ signal }) => getCredentialHealth(id.value, signal) })
}

/** Who decided last, asked for only where a decision stands. */
export function useLastDecision(credential: Ref<Credential>) {
  return useQuery({
    queryKey: computed(() => ['credentials', 'decision', credential.value.api_id] as const),
    queryFn: async ({ signal }) => {
      const { items } = await listHistory({ limit: 1, api_id: credential.value.api_id, action: DECISIONS }, signal)
      return items[0] ?? null
    },
    enabled: computed(() => credential.value.status === 'disabled' || credential.value.status === 'banned'),
  })
}
