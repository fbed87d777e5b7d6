import { expect, it } from 'vitest'
import { steady } from './steadyRows'

const rows = (...ids: string[]) => ids.map((id) => ({ id, at: 1 }))

it('patches rows where they stand', () => {
  const newest = [
    { id: 'b', at: 2 },
    { id: 'a', at: 2 },
  ]
  expect(steady(rows('a', 'b'), newest)).toEqual({ rows: [newest[1], newest[0]], added: 0, hasMoved: true })
  expect(steady(rows('b', 'a'), newest)).toEqual({ rows: newest, added: 0, hasMoved: false })
})

it('counts the new ones and keeps those that went', () => {
  expect(steady(rows('a', 'b'), rows('n', 'a'))).toEqual({ rows: rows('a', 'b'), added: 1, hasMoved: true })
  expect(steady(rows('a'), rows('a', 'b'))).toMatchObject({ rows: rows('a'), added: 1, hasMoved: true })
  expect(steady(rows('a', 'b'), rows('a'))).toMatchObject({ rows: rows('a', 'b'), added: 0, hasMoved: true })
})
