import { expect, it } from 'vitest'
import { runwayOf } from './runway'

it.each([
  [30, 19.4, { is: 'days', n: 19, pace: 30 }],
  [30, 2, { is: 'days', n: 2, pace: 30 }],
  [30, 1.99, { is: 'hours', n: 48, pace: 30 }],
  [900, 0.01, { is: 'hours', n: 1, pace: 900 }],
  [0.5, 800, { is: 'far', pace: 0.5 }],
  [0, null, { is: 'steady', pace: 0 }],
  [-12.5, null, { is: 'steady', pace: -12.5 }],
  [null, null, { is: 'unmeasured' }],
  [30, 0, { is: 'full' }],
  [null, 0, { is: 'full' }],
])('%j slots a day, full in %j days', (slots_per_day, full_in_days, runway) => {
  expect(runwayOf({ slots_per_day, full_in_days, free: 1 })).toEqual(runway)
})
