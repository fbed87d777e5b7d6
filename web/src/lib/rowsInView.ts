import { useElementSize, useEventListener } from '@vueuse/core'
import { computed, ref, toValue, watch, type MaybeRefOrGetter } from 'vue'

/** The rows to draw, and the room in pixels that those before and after them would take. */
export interface RowsInView {
  from: number
  /** Exclusive. */
  to: number
  before: number
  after: number
}

/** Of rows of one height, those in view and `spare` more on either side, so that quick scrolling meets no gap. */
export function rowsInView(count: number, height: number, top: number, room: number, spare: number): RowsInView {
  // A list that has become shorter may have been scrolled past its new end.
  const first = Math.min(Math.max(0, Math.floor(top / height)), Math.max(0, count - 1))
  const from = Math.max(0, first - spare)
  const to = Math.min(count, first + Math.ceil(room / height) + 1 + spare)
  return { from, to, before: from * height, after: (count - to) * height }
}

const SPARE_MS = 200

/** Draws a long list as a short one: all rows have one height, so that where each would stand is known. */
export function useRowsInView(
  scroller: MaybeRefOrGetter<HTMLElement | null>,
  rows: () => { count: number; height: number; spare?: number },
) {
  // Not useScroll, which measures styles at every start: the rows would be laid out twice.
  const top = ref(0)
  // One that was scrolled before, or stands anew at its top.
  watch(() => toValue(scroller), (element) => (top.value = element?.scrollTop ?? 0), { immediate: true, flush: 'post' })
  useEventListener(scroller, 'scroll', ({ target }) => (top.value = (target as HTMLElement).scrollTop), { passive: true })
  const { height: measured } = useElementSize(scroller)

  // What is seen is drawn first; the spare rows follow when it stands.
  const stands = ref(false)
  watch(
    () => rows().count > 0,
    (isFilled) => isFilled && setTimeout(() => (stands.value = true), SPARE_MS),
    { immediate: true },
  )

  return computed(() => {
    const { count, height, spare = 12 } = rows()
    // Until it is measured it may be as high as the window.
    const room = measured.value || toValue(scroller)?.clientHeight || window.innerHeight
    return rowsInView(count, height, top.value, room, stands.value ? spare : 0)
  })
}
