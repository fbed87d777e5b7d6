import { expect, it } from 'vitest'
import { nextTick, ref, shallowRef } from 'vue'
import { useHeld } from './useHeld'

it('keeps its rows while they are held, and counts what waits', async () => {
  const newest = shallowRef<{ id: string }[]>()
  const isHeld = ref(true)
  const { shown, waiting } = useHeld(
    () => newest.value,
    () => isHeld.value,
  )
  newest.value = [{ id: '1' }]
  await nextTick()
  expect([shown.value, waiting.value]).toEqual([[{ id: '1' }], 0])
  newest.value = [{ id: '3' }, { id: '2' }, { id: '1' }]
  await nextTick()
  expect([shown.value, waiting.value]).toEqual([[{ id: '1' }], 2])
  isHeld.value = false
  await nextTick()
  expect([shown.value, waiting.value]).toEqual([newest.value, 0])
})
