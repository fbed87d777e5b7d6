import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ALIASES, FIELDS, layoutOf, plain, positional } from './columns'

describe('columns', () => {
  it('are known by the names that the server knows', () => {
    const source = readFileSync(new URL('../../../../../domain/src/import/fields.rs', import.meta.url), 'utf8')
    const table = source.slice(source.indexOf('const ALIASES'), source.indexOf('];', source.indexOf('const ALIASES')))
    const told = [...table.matchAll(/Field::(\w+),\s*&\[([^\]]*)\]/g)].map(([, field = '', names = '']) => [
      field.replace(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase(),
      [...names.matchAll(/"([^"]+)"/g)].map(([, name]) => name),
    ])
    expect(Object.fromEntries(told)).toEqual(ALIASES)
    expect(told.map(([field]) => field)).toEqual([...FIELDS])
  })

  it('are found by header, whatever it looks like', () => {
    expect(plain('API ID (required)')).toBe('apiid')
    expect(layoutOf(['App_ID', '密鑰', 'Title', 'other'], {})).toEqual(['api_id', 'api_hash', 'name', null])
    expect(layoutOf(['id', 'hash'], {})).toEqual(['api_id', 'api_hash'])
    expect(layoutOf(['id', 'api_id'], {})).toEqual([null, 'api_id'])
  })

  it('are what the person said, and a field goes to one of them', () => {
    expect(layoutOf(['nr', 'key', 'name'], { nr: 'api_id', key: 'api_hash', name: 'ignore' })).toEqual(['api_id', 'api_hash', null])
    expect(layoutOf(['hash', 'key'], { key: 'api_hash' })).toEqual([null, 'api_hash'])
  })

  it('go by their place where nothing names them', () => {
    expect(positional(4, {})).toEqual(['api_id', 'api_hash', 'name', null])
    expect(positional(4, { 3: 'api_id', 0: 'ignore' })).toEqual([null, 'api_hash', 'name', 'api_id'])
  })
})
