import { expect, it } from 'vitest'
import { changedMoment, fromLocalInput, today, toLocalInput } from './localMoment'

it('comes back from the input as the same minute', () => {
  const text = toLocalInput('2027-03-04T05:06:07.890Z')
  expect(text).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/)
  expect(fromLocalInput(text)).toBe('2027-03-04T05:06:00.000Z')
})

it('has no time for nothing and for what is none', () => {
  expect([toLocalInput(null), toLocalInput(undefined), toLocalInput('soon')]).toEqual(['', '', ''])
  expect([fromLocalInput(''), fromLocalInput('soon')]).toEqual([null, null])
})

it('keeps the seconds of a time that nobody has touched', () => {
  const before = '2027-03-04T05:06:07.890Z'
  expect(changedMoment(toLocalInput(before), before)).toBe(before)
  expect(changedMoment('', before)).toBeNull()
  expect(changedMoment('', null)).toBeNull()
  expect(changedMoment(toLocalInput('2028-01-01T00:00:00Z'), before)).toBe('2028-01-01T00:00:00.000Z')
})

it('knows the day of this place', () => {
  expect(today(new Date(2026, 10, 30, 0, 5))).toBe('2026-11-30')
  expect(today(new Date(2026, 10, 30, 23, 55))).toBe('2026-11-30')
})
