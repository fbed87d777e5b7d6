import { expect, it } from 'vitest'
import { RANGE_NAMES, RANGES, rangeOf, readRange, writeRange } from './range'

it.each([['7d', '7d'], ['30d', '30d'], [undefined, '24h'], ['1y', '24h'], [['7d'], '24h'], ['toString', '24h']] as const)('reads %j as %s', (value, range) => {
  expect(readRange(value)).toBe(range)
})

it('writes what it reads, and leaves out the default', () => {
  for (const range of RANGE_NAMES) expect(readRange(writeRange(range).range)).toBe(range)
  expect(writeRange('24h')).toEqual({})
})

it('knows a period by its hours', () => {
  for (const range of RANGE_NAMES) expect(rangeOf(RANGES[range].hours)).toBe(range)
})
