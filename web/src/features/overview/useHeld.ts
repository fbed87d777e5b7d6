import { computed, shallowRef, watch } from 'vue'
import { steady } from '@/lib/steadyRows'

/** Rows that come in at the top by themselves, except while they are held: what came meanwhile comes after. */
export function useHeld<Item extends { id: string }>(newest: () => readonly Item[] | undefined, isHeld: () => boolean) {
  const shown = shallowRef(newest())

  watch([newest, isHeld], ([rows, held]) => {
    if (!held || shown.value === undefined) shown.value = rows
  })

  return { shown, waiting: computed(() => steady(shown.value ?? [], newest() ?? []).added) }
}
