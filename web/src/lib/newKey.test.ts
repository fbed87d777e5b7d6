import { expect, it } from 'vitest'
import { keysByBody, newKey } from './newKey'

it('makes keys that nobody else has', () => {
  expect(newKey()).toMatch(/^[0-9a-f]{32}$/)
  expect(newKey()).not.toBe(newKey())
})

it('keeps a key for as long as the body is the same', () => {
  const keyOf = keysByBody()
  const first = keyOf({ name: 'a' })
  expect(keyOf({ name: 'a' })).toBe(first)
  expect(keyOf({ name: 'b' })).not.toBe(first)
  expect(keysByBody()({ name: 'a' })).not.toBe(first)
  expect(keysByBody()('')).not.toBe('')
})
