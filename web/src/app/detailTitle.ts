import { onScopeDispose, shallowRef, toValue, watchEffect, type MaybeRefOrGetter } from 'vue'

/** The name of the thing that a detail shows: the last of the breadcrumbs, and in the window's title. */
export const detailTitle = shallowRef<string | null>(null)

export function useDetailTitle(name: MaybeRefOrGetter<string | null | undefined>): void {
  watchEffect(() => (detailTitle.value = toValue(name) ?? null))
  onScopeDispose(() => (detailTitle.value = null))
}
