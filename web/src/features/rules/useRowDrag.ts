import { onScopeDispose, ref } from 'vue'

/**
 * Moves a row of a list with the pointer, by mouse or finger. `over` is the place before which it would stand; the row
 * itself stays where it is until it is let go, so that nothing jumps under the pointer.
 */
export function useRowDrag(list: () => HTMLElement | null, drop: (from: number, to: number) => void) {
  const from = ref<number | null>(null)
  const over = ref<number | null>(null)
  let pointer: number | null = null

  const rows = () => [...(list()?.children ?? [])].filter((row) => row instanceof HTMLElement)

  function start(event: PointerEvent, index: number) {
    if (event.button !== 0) return
    event.preventDefault()
    pointer = event.pointerId
    from.value = index
    over.value = index
    window.addEventListener('pointermove', follow)
    window.addEventListener('pointerup', end)
    window.addEventListener('pointercancel', stop)
    window.addEventListener('keydown', leave)
  }

  function follow(event: PointerEvent) {
    if (event.pointerId !== pointer) return
    const place = rows().findIndex((row) => {
      const { top, height } = row.getBoundingClientRect()
      return event.clientY < top + height / 2
    })
    over.value = place === -1 ? rows().length : place
    const scroller = list()?.closest('[data-scroller]')
    if (!(scroller instanceof HTMLElement)) return
    const { top, bottom } = scroller.getBoundingClientRect()
    if (event.clientY < top + EDGE) scroller.scrollBy(0, -SPEED)
    else if (event.clientY > bottom - EDGE) scroller.scrollBy(0, SPEED)
  }

  function end(event: PointerEvent) {
    if (event.pointerId !== pointer) return
    const [first, place] = [from.value, over.value]
    stop()
    if (first === null || place === null) return
    const to = place > first ? place - 1 : place
    if (to !== first) drop(first, to)
  }

  function leave({ key }: KeyboardEvent) {
    if (key === 'Escape') stop()
  }

  function stop() {
    pointer = null
    from.value = null
    over.value = null
    window.removeEventListener('pointermove', follow)
    window.removeEventListener('pointerup', end)
    window.removeEventListener('pointercancel', stop)
    window.removeEventListener('keydown', leave)
  }

  onScopeDispose(stop)
  return { from, over, start }
}

/** How close to the edge of what scrolls it begins to scroll, and how far with each move, in pixels. */
const EDGE = 48
const SPEED = 16
