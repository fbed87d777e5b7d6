import { computed, shallowRef, watch } from 'vue'
import type { Credential } from '@/api/credentials'
import { onLiveEvent } from '@/live'
import type { List } from '@/lib/useList'
import type { ListPlace } from '@/lib/useListPlace'
import { stillThere } from './before'
import * as selection from './selection'

/**
 * What is ticked in a list. It survives paging and another order; another search or filter starts anew, as nobody should
 * act on rows that they no longer see. Rows that are gone are dropped.
 */
export function useSelection(list: List<Credential>, place: ListPlace) {
  const chosen = shallowRef<selection.Selection>(selection.NOTHING)
  const shown = computed(() => list.rows.value ?? [])
  const filter = computed(() => selection.filterOf(place.state.value))

  watch(
    () => JSON.stringify(filter.value),
    () => (chosen.value = selection.NOTHING),
  )

  // A row that leaves the page may only have moved to another one: the server knows.
  watch([shown, () => list.isTurning.value, place.state], async ([rows, turning, state], [before, wasTurning, stateBefore]) => {
    chosen.value = selection.renewed(chosen.value, rows)
    if (turning || wasTurning || state !== stateBefore) return
    const gone = selection.vanished(chosen.value, before, rows)
    if (gone.length === 0) return
    const asked = filter.value
    const there = await stillThere(gone, asked).catch(() => gone)
    if (asked !== filter.value) return
    const kept = new Set(there.map(({ id }) => id))
    drop(gone.map(({ id }) => id).filter((id) => !kept.has(id)))
  })

  onLiveEvent(({ event, key }) => {
    if (event === 'api.removed') drop([key.replace(/^credential:/, '')])
  })

  function drop(ids: readonly string[]) {
    chosen.value = selection.without(chosen.value, ids)
  }

  const rows = computed<readonly Credential[]>(() => (chosen.value.is === 'rows' ? [...chosen.value.rows.values()] : []))

  return {
    isAll: computed(() => chosen.value.is === 'all'),
    /** The ticked rows as they were seen last; none when it is everything. */
    rows,
    count: computed(() => (chosen.value.is === 'all' ? (list.page.value?.total ?? 0) : rows.value.length)),
    ids: computed(() => selection.tickedIds(chosen.value, shown.value)),
    coversPage: computed(() => selection.coversPage(chosen.value, shown.value)),
    tick: (ids: readonly string[], on: boolean) => (chosen.value = selection.ticked(chosen.value, shown.value, ids, on)),
    tickPage: () => (chosen.value = selection.ticked(chosen.value, shown.value, shown.value.map(({ id }) => id), true)),
    tickAll: () => (chosen.value = { is: 'all' }),
    clear: () => (chosen.value = selection.NOTHING),
    filter,
  }
}

export type SelectionState = ReturnType<typeof useSelection>
