import { expect, it } from 'vitest'
import { safeReturn } from './safeReturn'

it.each(['/credentials', '/credentials?q=a&sort=name', '/'])('returns to our own path %s', (path) => {
  expect(safeReturn(path)).toBe(path)
})

it.each([undefined, null, '', 'credentials', '//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', '/sign-in?next=/sign-in'])(
  'goes home instead of to %s',
  (path) => {
    expect(safeReturn(path)).toBe('/')
  },
)
