import { expect, it } from 'vitest'
import { axisTime, formatChange, formatLength, formatMoment, formatRate, formatShare } from './formats'

it.each([
  [1, '100%'],
  [0.9998, '99.9%'],
  [0.895, '89.5%'],
  [0.29, '29%'],
  [2 / 120, '1.7%'],
  [0, '0%'],
])('shows %d as %s', (share, shown) => {
  expect(formatShare(share, 'en')).toBe(shown)
})

it.each([
  [12, 0, '+12'],
  [-1_240, 0, '−1,240'],
  [0, 0, '0'],
  [-2.14, 1, '−2.1'],
] as const)('shows a change of %d with %d digits as %s', (value, digits, shown) => {
  expect(formatChange(value, 'en', digits)).toBe(shown)
})

it.each([
  [30.4, '+30'],
  [2.46, '+2.5'],
  [-0.2, '−0.2'],
  [3, '+3'],
  [0, '0'],
])('shows a rate of %d as %s', (value, shown) => {
  expect(formatRate(value, 'en')).toBe(shown)
})

it('names the hour, and the day where one begins', () => {
  expect(axisTime(new Date(2026, 2, 1, 14, 30).getTime(), 'en')).toBe('14:30')
  expect(axisTime(new Date(2026, 2, 1).getTime(), 'en')).toBe('Mar 1')
  expect(axisTime(new Date(2026, 2, 1).getTime(), 'zh-TW')).toBe('3月1日')
})

it('names a moment, or the time that a step takes', () => {
  const at = new Date(2026, 2, 1, 14, 30).getTime()
  expect(formatMoment(at, 0, 'en')).toBe('Mar 1, 14:30')
  expect(formatMoment(at, 900_000, 'en').replace(/\s/g, ' ')).toBe('Mar 1, 14:30 – 14:45')
})

it.each([
  [300_000, '5 min'],
  [3_600_000, '1 hr'],
  [21_600_000, '6 hr'],
  [86_400_000, '1 day'],
])('shows a step of %d ms as %s', (length, shown) => {
  expect(formatLength(length, 'en')).toBe(shown)
})
