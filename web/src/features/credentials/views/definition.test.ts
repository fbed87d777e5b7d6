import { expect, it } from 'vitest'
import { readListState } from '@/lib/listState'
import { LIST_RULES } from '../list'
import { DEFAULT_COLUMNS, writeColumns } from '../list/columns'
import { definitionOf, isSameDefinition, readDefinition } from './definition'

const state = readListState({ q: 'tern', 'status!': 'banned', sort: 'name', cursor: 'x' }, LIST_RULES)

it('a view is the address in full, without the page', () => {
  const kept = definitionOf(state, ['name', 'note'])
  expect(kept).toEqual({ q: 'tern', 'status!': 'banned', sort: 'name', columns: 'name,note' })
  expect(readDefinition(kept)).toEqual(kept)
  expect(definitionOf(readListState({}, LIST_RULES), DEFAULT_COLUMNS)).toEqual({ sort: '-created_at', columns: writeColumns(DEFAULT_COLUMNS) })
})

it('a view of another release shows what is still known', () => {
  expect(readDefinition({ colour: 'red', status: 7, sort: 'colour', columns: 'name,colour', tags: 'a' })).toEqual({ tags: 'a', sort: '-created_at', columns: 'name' })
})

it('views are alike whatever the order of their parts', () => {
  expect(isSameDefinition({ q: 'a', sort: 'name' }, { sort: 'name', q: 'a' })).toBe(true)
  expect(isSameDefinition({ q: 'a', sort: 'name' }, { sort: 'name' })).toBe(false)
})
