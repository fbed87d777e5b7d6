import { describe, expect, it } from 'vitest'
import { extent, isAlone, moments, nearest, readings, ticks, type Point, type Series } from './chart'

const POINTS: Point[] = [
  [0, null],
  [10, 4],
  [20, null],
  [30, 1],
  [40, 9],
]
const series = (key: string, change: Partial<Series> = {}): Series => ({ key, name: key, ink: 'blue', points: POINTS, ...change })

it('points at what was measured, each moment once and in order', () => {
  const forecast = series('expected', { isForecast: true, points: [[50, 9]] })
  expect(moments([series('a', { points: [[20, 1]] }), series('b'), forecast])).toEqual([0, 10, 20, 30, 40])
})

it.each([
  [[0, 10, 20], 14, 10],
  [[0, 10, 20], -5, 0],
  [[], 3, null],
])('of %j the nearest to %d is %j', (times, to, found) => {
  expect(nearest(times, to)).toBe(found)
})

it('finds the values that make no line', () => {
  expect(POINTS.map((_, index) => isAlone(POINTS, index))).toEqual([false, true, false, false, false])
})

it('tells first, last, lowest and highest, and nothing of nothing', () => {
  expect(extent(POINTS)).toEqual({ first: 4, last: 9, low: 1, high: 9 })
  expect(extent([[0, null]])).toBeNull()
})

describe('the readings of a moment', () => {
  const band = { name: 'free', ink: 'blue', lower: 'used', upper: 'slots' } as const
  const both = [series('slots', { points: [[0, 10], [10, 10], [20, 3]] }), series('used', { points: [[0, null], [10, 4], [20, 5]] }), series('expected', { isForecast: true })]
  const values = (at: number) => readings({ series: both, band }, at).map(({ key, value }) => [key, value])

  it('have the room between two series', () => {
    expect(values(10)).toEqual([['slots', 10], ['used', 4], ['band', 6]])
  })

  it('leave gaps open, and no room is not less than none', () => {
    expect(values(0)).toEqual([['slots', 10], ['used', null], ['band', null]])
    expect(values(20)).toEqual([['slots', 3], ['used', 5], ['band', 0]])
  })
})

describe('the ticks', () => {
  const named = (from: Date, to: Date) => ticks(from.getTime(), to.getTime()).map((tick) => new Date(tick).toLocaleString('sv').slice(5, 16))

  it('are round hours of a day', () => {
    expect(named(new Date(2026, 2, 1, 14, 20), new Date(2026, 2, 2, 14, 20))).toEqual(['03-01 18:00', '03-02 00:00', '03-02 06:00', '03-02 12:00'])
  })

  it('are midnights of longer times, over the end of a month', () => {
    expect(named(new Date(2026, 1, 26, 14), new Date(2026, 2, 5, 14))).toEqual(['02-27 00:00', '03-01 00:00', '03-03 00:00', '03-05 00:00'])
  })

  it.each([1, 6, 24, 29, 168, 202, 720, 864, 2_160])('are neither too many nor too few for %d hours', (hours) => {
    const from = new Date(2026, 2, 1, 14, 20).getTime()
    const found = ticks(from, from + hours * 3_600_000)
    expect(found.length).toBeGreaterThanOrEqual(hours === 1 ? 1 : 3)
    expect(found.length).toBeLessThanOrEqual(7)
  })
})
