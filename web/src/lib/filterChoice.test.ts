import { expect, it } from 'vitest'
import { flipped, readChoice, writeChoice } from './filterChoice'

it('reads these, and all but these', () => {
  expect(readChoice({ status: 'a,b' }, 'status')).toEqual({ values: ['a', 'b'], excludes: false })
  expect(readChoice({ 'status!': 'a' }, 'status')).toEqual({ values: ['a'], excludes: true })
  expect(readChoice({}, 'status')).toEqual({ values: [], excludes: false })
})

it('writes one of the two', () => {
  expect(writeChoice('status', { values: ['a', 'b'], excludes: false })).toEqual({ status: 'a,b', 'status!': null })
  expect(writeChoice('status', { values: ['a'], excludes: true })).toEqual({ status: null, 'status!': 'a' })
  expect(writeChoice('status', { values: [], excludes: true })).toEqual({ status: null, 'status!': null })
})

it('turns one into the other and back', () => {
  const turned = flipped({ status: 'a,b' }, 'status')
  expect(turned).toEqual({ status: null, 'status!': 'a,b' })
  expect(flipped({ 'status!': 'a,b' }, 'status')).toEqual({ status: 'a,b', 'status!': null })
})
