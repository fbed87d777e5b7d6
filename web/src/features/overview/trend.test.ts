import { describe, expect, it } from 'vitest'
import type { Trend } from '@/api/pool'
import { counts, endOf, forecast, levels, measuredSince, presentOf, rateFloor, rateOf, rates, spanOf, total } from './trend'

const HOUR = 3_600_000
const FROM = Date.parse('2026-03-01T00:00:00Z')
const NOW = FROM + 4.5 * HOUR

const step = (hour: number, change: Partial<Trend['points'][number]> = {}): Trend['points'][number] => ({
  at: new Date(FROM + hour * HOUR).toISOString(),
  allocated: 0,
  released: 0,
  successes: 0,
  failures: 0,
  success_rate: null,
  slots: null,
  used: null,
  ...change,
})

function trend(runway: Partial<Trend['runway']> = {}): Trend {
  return {
    hours: 24,
    step_seconds: 3_600,
    points: [
      step(0),
      step(1, { allocated: 10, slots: 100, used: 10 }),
      step(2, { allocated: 5, released: 2, successes: 9, failures: 1, success_rate: 0.9, slots: 100, used: 13 }),
      step(3),
      step(4, { released: 3, successes: 4, success_rate: 1, slots: 90, used: 10 }),
    ],
    before: { allocated: 0, released: 0, successes: 0, failures: 0, success_rate: null, used: null },
    runway: { slots_per_day: 24, full_in_days: 80 / 24, free: 80, ...runway },
    measured_at: new Date(NOW).toISOString(),
  }
}

describe('the steps', () => {
  it('begin with the first and are as long as they say', () => {
    expect(spanOf(trend(), NOW)).toEqual({ from: FROM, step: HOUR })
  })

  it.each([
    [FROM, FROM + 4 * HOUR],
    [NOW, NOW],
    [FROM + 9 * HOUR, FROM + 5 * HOUR],
  ])('hold the present within the last, at %d', (now, present) => {
    expect(presentOf(trend(), now)).toBe(present)
  })

  it('count what came in each', () => {
    expect(counts(trend(), 'released').map(([, value]) => value)).toEqual([0, 0, 2, 0, 3])
    expect([total(trend(), 'allocated'), total(trend(), 'successes')]).toEqual([15, 13])
  })

  it('have gaps where there was nothing to tell', () => {
    expect(rates(trend()).map(([, value]) => value)).toEqual([null, null, 0.9, null, 1])
  })

  it('end with how it stood, the last one now', () => {
    expect(levels(trend(), 'used', NOW)).toEqual([
      [FROM + HOUR, null],
      [FROM + 2 * HOUR, 10],
      [FROM + 3 * HOUR, 13],
      [FROM + 4 * HOUR, null],
      [NOW, 10],
    ])
  })

  it('tell since when somebody looked', () => {
    expect(measuredSince(trend())).toBe(FROM + HOUR)
    expect(measuredSince({ ...trend(), points: [step(0)] })).toBeNull()
  })
})

describe('what is expected', () => {
  it('goes on at the present pace to the end of the chart', () => {
    expect(endOf(trend(), NOW)).toBe(NOW + 0.9 * HOUR)
    expect(forecast(trend(), NOW)).toEqual([
      [NOW, 10],
      [NOW + 0.9 * HOUR, 10.9],
    ])
  })

  it('ends when the pool is full', () => {
    const [, end] = forecast(trend({ slots_per_day: 3_200, full_in_days: 0.025 }), NOW)
    expect(end).toEqual([NOW + 0.6 * HOUR, 90])
  })

  it.each([
    { slots_per_day: null, full_in_days: null },
    { slots_per_day: -4, full_in_days: null },
    { slots_per_day: 0, full_in_days: null },
    { slots_per_day: 30, full_in_days: 0 },
  ])('is nothing where it does not fill: %j', (runway) => {
    expect(forecast(trend(runway), NOW)).toEqual([])
    expect(endOf(trend(runway), NOW)).toBe(NOW)
  })
})

it('makes a rate of results, and none of none', () => {
  expect(rateOf(9, 1)).toEqual({ rate: 0.9, results: 10 })
  expect(rateOf(0, 0)).toEqual({ rate: null, results: 0 })
})

it.each([
  [[1, 0.99], 0.9],
  [[1, 0.91], 0.8],
  [[null, 0.4], 0.3],
  [[0.01], 0],
  [[null], 0.9],
])('begins the axis of %j at %d', (values, floor) => {
  expect(rateFloor(values.map((value, at) => [at, value]))).toBe(floor)
})
