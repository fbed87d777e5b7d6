import { describe, expect, it } from 'vitest'
import type { Credential } from '@/api/credentials'
import * as s from './selection'

const row = (id: string, name = id) => ({ id, name }) as Credential
const page = [row('a'), row('b'), row('c')]
const ids = (selection: s.Selection) => (selection.is === 'all' ? 'all' : [...selection.rows.keys()])

describe('selection', () => {
  it('ticks and unticks, and survives another page', () => {
    const two = s.ticked(s.NOTHING, page, ['a', 'c'], true)
    expect(ids(two)).toEqual(['a', 'c'])
    const other = s.ticked(two, [row('d')], ['d'], true)
    expect(ids(other)).toEqual(['a', 'c', 'd'])
    expect(ids(s.ticked(other, page, ['a'], false))).toEqual(['c', 'd'])
    expect(ids(s.NOTHING)).toEqual([])
  })

  it('ticks only what is shown', () => {
    expect(ids(s.ticked(s.NOTHING, page, ['z'], true))).toEqual([])
  })

  it('of everything leaves the others shown when one is unticked', () => {
    expect(ids(s.ticked({ is: 'all' }, page, ['b'], false))).toEqual(['a', 'c'])
    expect(ids(s.ticked({ is: 'all' }, page, ['b'], true))).toBe('all')
    expect([...s.tickedIds({ is: 'all' }, page)]).toEqual(['a', 'b', 'c'])
  })

  it('knows rows as they are now, and stays the same object when nothing changed', () => {
    const some = s.ticked(s.NOTHING, page, ['a'], true)
    const newer = s.renewed(some, [row('a', 'new'), row('b', 'new')])
    expect(newer.is === 'rows' && [...newer.rows.values()]).toEqual([row('a', 'new')])
    expect(s.renewed(some, page)).toBe(some)
  })

  it('drops what is gone', () => {
    const some = s.ticked(s.NOTHING, page, ['a', 'b'], true)
    expect(ids(s.without(some, ['a', 'x']))).toEqual(['b'])
    expect(s.without(some, ['x'])).toBe(some)
    expect(s.vanished(some, page, [row('b'), row('c')])).toEqual([row('a')])
    expect(s.vanished(some, page, [row('a'), row('b')])).toEqual([])
    expect(s.vanished({ is: 'all' }, page, [])).toEqual([])
  })

  it('offers everything once the page is ticked', () => {
    expect(s.coversPage(s.ticked(s.NOTHING, page, ['a', 'b', 'c'], true), page)).toBe(true)
    expect(s.coversPage(s.ticked(s.NOTHING, page, ['a', 'b'], true), page)).toBe(false)
    expect(s.coversPage(s.NOTHING, [])).toBe(false)
    expect(s.coversPage({ is: 'all' }, page)).toBe(false)
  })

  it('names a list by what finds it, not by order and page', () => {
    expect(s.filterOf({ q: '', filters: {} })).toEqual({})
    expect(s.filterOf({ q: 'x y', filters: { 'status!': 'banned', group_id: 'none' } })).toEqual({ 'status!': 'banned', group_id: 'none', q: 'x y' })
  })
})
