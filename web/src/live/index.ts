import type { QueryClient } from '@tanstack/vue-query'
import { createEventHook } from '@vueuse/core'
import { shallowRef, watch } from 'vue'
import { FEATURES } from '@/app/features'
import { session } from '@/session'
import { createLink, type LinkState, type LiveEvent } from './connection'
import { createStaleness } from './staleness'

export type { LinkState, LiveEvent } from './connection'

export const linkState = shallowRef<LinkState>({ is: 'off' })

const heard = createEventHook<LiveEvent>()

/** For a component that shows the events themselves. It stops hearing when it goes. */
export const onLiveEvent = heard.on

const link = createLink({
  open: () => new WebSocket(`${window.location.origin.replace(/^http/, 'ws')}/ws`) as never,
  token: session.token,
  refresh: async () => (session.isStale() ? session.renew() : undefined),
  onState: (state) => (linkState.value = state),
  onEvent: (event) => void heard.trigger(event),
  onGap: () => gap(),
})

let gap: () => void = () => undefined

export const tryLinkNow = link.tryNow

/** Follows the events as long as somebody is signed in, and has what they touch asked for again. */
export function followEvents(queries: QueryClient): void {
  const staleness = createStaleness(queries)
  gap = () => void queries.invalidateQueries()
  onLiveEvent((event) => staleness.touch(FEATURES.flatMap(({ touchedBy }) => touchedBy?.(event) ?? [])))
  watch(session.isSignedIn, (signedIn) => (signedIn ? link.start() : link.stop()), { immediate: true })
}
