import { computed } from 'vue'
import { useRoute, useRouter, type RouteLocationNamedRaw } from 'vue-router'
import * as list from './listState'

/** The list's place in URL and history, and the ways to move it. */
export function useListPlace(rules: list.ListRules) {
  const route = useRoute()
  const router = useRouter()

  const place = computed<list.Place>((before) => {
    const state = list.readListState(route.query, rules)
    const trail = list.readTrail(window.history.state?.trail, state)
    // The same place stays the same object, so that an address that changes elsewhere (a detail opened) asks for nothing.
    return before !== undefined && JSON.stringify(before) === JSON.stringify({ state, trail }) ? before : { state, trail }
  })

  const alongside = computed(() => list.readAlongside(route.query, rules))

  function go(to: list.Place | null, how: 'push' | 'replace' = 'push', beside = alongside.value) {
    if (to === null) return
    const target = { query: { ...list.writeListState(to.state, rules), ...beside }, state: { trail: to.trail && [...to.trail] } }
    return how === 'push' ? router.push(target) : router.replace(target)
  }

  return {
    state: computed(() => place.value.state),
    trail: computed(() => place.value.trail),
    alongside,
    /** Sets the page's own parameters; null takes one away. The list stays where it is. */
    note: (changes: Record<string, string | null>) => {
      const beside = Object.entries(changes).reduce<list.Filters>((so, [name, value]) => list.withFilter(so, name, value), alongside.value)
      void go(place.value, 'replace', beside)
    },
    /** Everything as an address says it, from its first page. */
    show: (query: Readonly<Record<string, string>>) => void go({ state: list.readListState(query, rules), trail: [] }, 'push', list.readAlongside(query, rules)),
    /** The first letter of a search makes a history entry, the next ones change it: one step back leaves the search. */
    search: (q: string) => {
      if (q !== place.value.state.q) void go(list.changed(place.value, { q }), place.value.state.q === '' ? 'push' : 'replace')
    },
    sort: (sort: string) => void go(list.changed(place.value, { sort })),
    /** Sets filters; null takes one away. */
    filter: (changes: Record<string, string | null>) => {
      const filters = Object.entries(changes).reduce<list.Filters>((so, [name, value]) => list.withFilter(so, name, value), place.value.state.filters)
      void go(list.changed(place.value, { filters }))
    },
    /** Shows everything again, in the same order. */
    clear: () => void go(list.changed(place.value, { q: '', filters: {} })),
    /** A detail of this list: the list stays as it is behind it, and is there again on the way back. */
    beside: (to: RouteLocationNamedRaw): RouteLocationNamedRaw => ({
      ...to,
      query: { ...list.writeListState(place.value.state, rules), ...alongside.value },
      state: { trail: place.value.trail && [...place.value.trail] },
    }),
    next: (cursor: string) => void go(list.nextPage(place.value, cursor)),
    previous: () => void go(list.previousPage(place.value)),
    first: () => void go(list.firstPage(place.value)),
  }
}

export type ListPlace = ReturnType<typeof useListPlace>
