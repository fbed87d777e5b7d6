import { expect, it } from 'vitest'
import { rowsInView } from './rowsInView'

it('draws what is in view and some more', () => {
  expect(rowsInView(500, 40, 0, 400, 12)).toEqual({ from: 0, to: 23, before: 0, after: 477 * 40 })
  expect(rowsInView(500, 40, 4_000, 400, 12)).toEqual({ from: 88, to: 123, before: 88 * 40, after: 377 * 40 })
  expect(rowsInView(500, 40, 19_600, 400, 12)).toEqual({ from: 478, to: 500, before: 478 * 40, after: 0 })
})

it('keeps its height whatever is drawn', () => {
  for (let top = 0; top < 20_000; top += 130) {
    const { from, to, before, after } = rowsInView(500, 40, top, 390, 3)
    expect(before + (to - from) * 40 + after).toBe(500 * 40)
    expect([from * 40 <= top, to * 40 >= Math.min(top + 390, 20_000)]).toEqual([true, true])
  }
})

it('draws all of a short list, none of an empty one, and the end of one that got shorter', () => {
  expect(rowsInView(3, 40, 0, 400, 12)).toEqual({ from: 0, to: 3, before: 0, after: 0 })
  expect(rowsInView(0, 40, 0, 400, 12)).toEqual({ from: 0, to: 0, before: 0, after: 0 })
  expect(rowsInView(5, 40, 9_000, 400, 2)).toEqual({ from: 2, to: 5, before: 80, after: 0 })
})
