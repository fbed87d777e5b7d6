import { expect, it } from 'vitest'
import { nextTick, shallowRef } from 'vue'
import { useHeld } from './useHeld'

it('holds its rows while somebody points at them, and counts what waits', async () => {
  const newest = shallowRef<{ id: string }[]>()
  const { isHeld, shown, waiting } = useHeld(() => newest.value)
  isHeld.value = true
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
