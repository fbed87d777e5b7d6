import { expect, it } from 'vitest'
import { expiryState, inDays } from './expiry'

const NOW = Date.parse('2027-01-01T00:00:00Z')

it('tells how much longer a token is good', () => {
  expect(expiryState(null, NOW)).toBe('never')
  expect(expiryState(NOW, NOW)).toBe('over')
  expect(expiryState(Date.parse(inDays(14, NOW)), NOW)).toBe('soon')
  expect(expiryState(Date.parse(inDays(15, NOW)), NOW)).toBe('fine')
})

it('counts days from now', () => {
  expect(inDays(30, NOW)).toBe('2027-01-31T00:00:00.000Z')
})
