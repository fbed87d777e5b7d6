import type { QueryClient } from '@tanstack/vue-query'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createStaleness } from './staleness'

function world() {
  const asked: unknown[] = []
  let busy = false
  const queries = {
    isFetching: () => (busy ? 1 : 0),
    invalidateQueries: ({ queryKey }: { queryKey: unknown }) => void asked.push(queryKey),
  } as unknown as QueryClient
  return { asked, staleness: createStaleness(queries), setBusy: (now: boolean) => (busy = now) }
}

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

it('answers many events once', () => {
  const { asked, staleness } = world()
  for (let count = 0; count < 40; count += 1) staleness.touch([['credentials'], ['overview']])
  expect(asked).toEqual([])
  vi.advanceTimersByTime(250)
  expect(asked).toEqual([['credentials'], ['overview']])
})

it('rests between batches under steady news', () => {
  const { asked, staleness } = world()
  for (let elapsed = 0; elapsed < 10_000; elapsed += 20) {
    staleness.touch([['credentials']])
    vi.advanceTimersByTime(20)
  }
  expect(asked.length).toBeGreaterThanOrEqual(9)
  expect(asked.length).toBeLessThanOrEqual(11)
})

it('waits for an answer under way, then asks again', () => {
  const { asked, staleness, setBusy } = world()
  setBusy(true)
  staleness.touch([['credentials']])
  vi.advanceTimersByTime(3_000)
  expect(asked).toEqual([])
  setBusy(false)
  vi.advanceTimersByTime(1_000)
  expect(asked).toEqual([['credentials']])
})
