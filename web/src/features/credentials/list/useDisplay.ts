import { computed, shallowRef, watch } from 'vue'
import { useRoute } from 'vue-router'
import type { Density } from '@/components/dataTable'
import { readPreference, writePreference } from '@/lib/storage'
import type { ListPlace } from '@/lib/useListPlace'
import { DEFAULT_PAGE_SIZE, PAGE_SIZES, type PageSize } from '../list'
import { columnsInAddress, DEFAULT_COLUMNS, isSame, readColumns, tableColumns, toggled, writeColumns, type Columns } from './columns'

/** How the list looks: columns, row height, rows on a page. This browser remembers it; the columns are in the address, too. */
export function useDisplay(place: ListPlace) {
  const route = useRoute()
  const remembered = shallowRef(readColumns(readPreference('credentials.columns')))
  const density = shallowRef<Density>(readPreference('credentials.density') === 'dense' ? 'dense' : 'normal')
  const pageSize = shallowRef<PageSize>(PAGE_SIZES.find((size) => String(size) === readPreference('credentials.page-size')) ?? DEFAULT_PAGE_SIZE)

  const columns = computed<Columns>(() => readColumns(place.alongside.value.columns ?? null) ?? remembered.value ?? DEFAULT_COLUMNS)

  function choose(chosen: Columns) {
    remembered.value = chosen
    writePreference('credentials.columns', writeColumns(chosen))
    place.note({ columns: columnsInAddress(chosen, chosen) })
  }

  // A plain address that this browser shows with columns of its own says so, to be passed on as it looks.
  watch(
    () => [route.matched.some(({ name }) => name === 'credentials'), columns.value, place.alongside.value.columns] as const,
    ([isHere, shown, named]) => {
      const wanted = columnsInAddress(shown, remembered.value)
      if (isHere && wanted !== (named ?? null)) place.note({ columns: wanted })
    },
    { immediate: true },
  )

  return {
    columns,
    table: computed(() => tableColumns(columns.value)),
    density,
    pageSize,
    isDefault: computed(() => isSame(columns.value, DEFAULT_COLUMNS)),
    toggle: (key: string) => choose(toggled(columns.value, key)),
    reset: () => choose(DEFAULT_COLUMNS),
    setDensity: (chosen: Density) => {
      density.value = chosen
      writePreference('credentials.density', chosen)
    },
    setPageSize: (chosen: PageSize) => {
      pageSize.value = chosen
      writePreference('credentials.page-size', String(chosen))
      // Pages of another size begin elsewhere.
      place.first()
    },
  }
}

export type Display = ReturnType<typeof useDisplay>
