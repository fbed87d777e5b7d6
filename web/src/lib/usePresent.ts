import { createSharedComposable, useNow } from '@vueuse/core'

/** The present for relative times: one ticker for the whole page. */
export const usePresent = createSharedComposable(() => useNow({ interval: 5_000 }))
