import { expect, it } from 'vitest'
import { inUnit, secondsLeft, unitOf } from './lease'

it('shows a lease in the largest unit that divides it', () => {
  expect([null, 86_400, 7_200, 5_400, 61].map(unitOf)).toEqual(['hour', 'day', 'hour', 'minute', 'second'])
  expect(inUnit(5_400, 'minute')).toBe(90)
})

it('knows what is left of one', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  expect(secondsLeft('2026-01-01T01:00:00Z', now)).toBe(3_600)
  expect(secondsLeft('2025-01-01T01:00:00Z', now)).toBe(1)
  expect(secondsLeft(null, now)).toBeNull()
})
