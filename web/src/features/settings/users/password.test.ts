import { expect, it } from 'vitest'
import { newPassword, SHORTEST_PASSWORD } from './password'

it('makes another password each time, long enough and easy to read', () => {
  const made = Array.from({ length: 50 }, () => newPassword())
  expect(new Set(made).size).toBe(50)
  for (const password of made) {
    expect(password.length).toBeGreaterThanOrEqual(SHORTEST_PASSWORD)
    expect(password).toMatch(/^[a-zA-Z2-9]+$/)
    expect(password).not.toMatch(/[lIO]/)
  }
})

it('passes over bytes that would make some letters likelier', () => {
  let call = 0
  const password = newPassword((bytes) => bytes.fill(call++ === 0 ? 255 : 0))
  expect(password).toBe('a'.repeat(20))
})
