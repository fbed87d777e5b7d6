import { expect, it } from 'vitest'
import { changesIn, particulars } from './changes'

it('a change is told field by field, with what came and what went', () => {
  expect(changesIn({ name: 'Old', note: null, tags: ['a'] }, { name: 'New', note: 'n', tags: [] })).toEqual([
    { field: 'name', before: 'Old', after: 'New' },
    { field: 'note', before: null, after: 'n' },
    { field: 'tags', before: '["a"]', after: '[]' },
  ])
  expect(changesIn({ value: 'enabled' }, { value: 'banned' })).toEqual([{ field: '', before: 'enabled', after: 'banned' }])
  expect(changesIn(null, null)).toEqual([])
})

it('particulars leave out what is nothing', () => {
  expect(particulars({ code: 'API_ID_INVALID', reason: null, consecutive_failures: 2, login_only: true })).toEqual([
    { name: 'code', value: 'API_ID_INVALID' },
    { name: 'consecutive_failures', value: '2' },
    { name: 'login_only', value: 'true' },
  ])
  expect(particulars(null)).toEqual([])
})
