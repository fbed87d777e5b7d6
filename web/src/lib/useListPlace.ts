import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import * as list from './listState'

/** The list's place in URL and history, and the ways to move it. */
export function useListPlace(rules: list.ListRules) {
  const route = useRoute()
  const router = useRouter()

  const place = computed<list.Place>(() => {
    const state = list.readListState(route.query, rules)
    return { state, trail: list.readTrail(window.history.state?.trail, state) }
  })

  function go(to: list.Place | null, how: 'push' | 'replace' = 'push') {
    if (to === null) return
    const target = { query: list.writeListState(to.state, rules), state: { trail: to.trail && [...to.trail] } }
    return how === 'push' ? router.push(target) : router.replace(target)
  }

  return {
    state: computed(() => place.value.state),
    trail: computed(() => place.value.trail),
    /** The first letter of a search makes a history entry, the next ones change it: one step back leaves the search. */
    search: (q: string) => {
      if (q !== place.value.state.q) void go(list.changed(place.value, { q }), place.value.state.q === '' ? 'push' : 'replace')
    },
    sort: (sort: string) => void go(list.changed(place.value, { sort })),
    next: (cursor: string) => void go(list.nextPage(place.value, cursor)),
    previous: () => void go(list.previousPage(place.value)),
    first: () => void go(list.firstPage(place.value)),
  }
}
