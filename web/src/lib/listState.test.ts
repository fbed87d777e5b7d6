import { describe, expect, it } from 'vitest'
import * as list from './listState'

const RULES: list.ListRules = { sortable: ['created_at', 'name'], defaultSort: '-created_at', filters: ['status', 'status!'], alongside: ['columns'] }
const plain: list.ListState = { q: '', filters: {}, sort: '-created_at', cursor: null }
const start: list.Place = { state: plain, trail: [] }

describe('list state and URL', () => {
  it('reads an empty address as the first page in the default order', () => {
    expect(list.readListState({}, RULES)).toEqual(plain)
    expect(list.writeListState(plain, RULES)).toEqual({})
  })

  it.each<list.ListState>([
    { q: '1234', filters: {}, sort: 'name', cursor: 'abc' },
    { q: 'a b+c&d', filters: { 'status!': 'banned,disabled' }, sort: '-name', cursor: null },
    { q: '', filters: { status: 'in_use' }, sort: 'created_at', cursor: 'x' },
  ])('brings back what it wrote: %j', (state) => {
    const search = new URLSearchParams(list.writeListState(state, RULES)).toString()
    expect(list.readListState(Object.fromEntries(new URLSearchParams(search)), RULES)).toEqual(state)
  })

  it('takes no order that the server does not know, and no endless search', () => {
    expect(list.readListState({ sort: '-password' }, RULES).sort).toBe('-created_at')
    expect(list.readListState({ sort: '--name' }, RULES).sort).toBe('-created_at')
    expect(list.readListState({ q: `  ${'x'.repeat(500)}` }, RULES).q).toHaveLength(200)
  })

  it('reads what goes along apart from what the list asks for', () => {
    const query = { columns: ' name,note ', q: 'x', other: 'y' }
    expect(list.readAlongside(query, RULES)).toEqual({ columns: 'name,note' })
    expect(list.writeListState(list.readListState(query, RULES), RULES)).toEqual({ q: 'x' })
    expect(list.readAlongside(query, { sortable: [], defaultSort: '' })).toEqual({})
  })

  it('takes no filter that the list does not have, and none that is empty or endless', () => {
    const query = { status: ' banned ', 'status!': '', color: 'red' }
    expect(list.readListState(query, RULES).filters).toEqual({ status: 'banned' })
    expect(list.readListState({ status: 'x'.repeat(2_001) }, RULES).filters).toEqual({})
  })

  it('sets filters and takes them away', () => {
    const set = list.withFilter({ status: 'banned' }, 'status!', 'disabled')
    expect(set).toEqual({ status: 'banned', 'status!': 'disabled' })
    expect(list.withFilter(set, 'status', null)).toEqual({ 'status!': 'disabled' })
    expect(list.withFilter(set, 'status', '')).toEqual({ 'status!': 'disabled' })
    expect([plain, { ...plain, q: 'x' }, { ...plain, filters: set }].map(list.isNarrowed)).toEqual([false, true, true])
  })

  it('reads the first of repeated parameters and ignores empty ones', () => {
    expect(list.readListState({ q: ['a', 'b'], sort: null, cursor: '' }, RULES)).toEqual({ ...plain, q: 'a' })
  })
})

describe('pages', () => {
  it('walks forth and back', () => {
    const second = list.nextPage(start, 'c2')
    const third = list.nextPage(second, 'c3')
    expect(third).toEqual({ state: { ...plain, cursor: 'c3' }, trail: [null, 'c2'] })
    expect(list.previousPage(third)).toEqual(second)
    expect(list.previousPage(second)).toEqual(start)
    expect(list.previousPage(start)).toBeNull()
    expect(list.firstPage(third)).toEqual(start)
  })

  it('finds its trail in the history entry, if it is one', () => {
    const later = { ...plain, cursor: 'c3' }
    expect(list.readTrail([null, 'c2'], later)).toEqual([null, 'c2'])
    expect(list.readTrail([null, 'c2'], plain)).toEqual([])
    for (const kept of [undefined, null, [], ['c1'], [null, 2], 'c']) expect(list.readTrail(kept, later)).toBeNull()
  })

  it('goes on without a trail but not back', () => {
    const linked: list.Place = { state: { ...plain, cursor: 'c9' }, trail: null }
    expect(list.previousPage(linked)).toBeNull()
    expect(list.nextPage(linked, 'c10')).toEqual({ state: { ...plain, cursor: 'c10' }, trail: null })
    expect(list.firstPage(linked)).toEqual(start)
  })

  it('starts again when search or order change', () => {
    const deep = list.nextPage(list.nextPage(start, 'c2'), 'c3')
    expect(list.changed(deep, { q: 'x' })).toEqual({ state: { ...plain, q: 'x' }, trail: [] })
  })

  it('counts rows from one', () => {
    expect(list.rowRange([], 50, 50)).toEqual({ from: 1, to: 50 })
    expect(list.rowRange([null, 'c2'], 50, 3)).toEqual({ from: 101, to: 103 })
    expect(list.rowRange(null, 50, 50)).toBeNull()
    expect(list.rowRange([], 50, 0)).toBeNull()
  })
})

describe('order', () => {
  it('turns a header: ascending, descending, default', () => {
    expect(list.toggledSort('-created_at', 'name', RULES)).toBe('name')
    expect(list.toggledSort('name', 'name', RULES)).toBe('-name')
    expect(list.toggledSort('-name', 'name', RULES)).toBe('-created_at')
  })

  it('turns the header of the default order both ways', () => {
    expect(list.toggledSort('-created_at', 'created_at', RULES)).toBe('created_at')
    expect(list.toggledSort('created_at', 'created_at', RULES)).toBe('-created_at')
  })

  it('says the direction of a column', () => {
    expect(list.sortDirection('name', 'name')).toBe('ascending')
    expect(list.sortDirection('-name', 'name')).toBe('descending')
    expect(list.sortDirection('-name', 'created_at')).toBe('none')
  })
})
