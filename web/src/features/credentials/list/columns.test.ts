import { describe, expect, it } from 'vitest'
import { columnsInAddress, DEFAULT_COLUMNS, readColumns, tableColumns, toggled, writeColumns } from './columns'

describe('columns', () => {
  it('are read in the table’s order, whatever order they are named in', () => {
    expect(readColumns('tags,status,name')).toEqual(['name', 'status', 'tags'])
    expect(readColumns(writeColumns(DEFAULT_COLUMNS))).toEqual(DEFAULT_COLUMNS)
  })

  it('leave out what nobody knows, and are none when none is known', () => {
    expect(readColumns('status,password')).toEqual(['name', 'status'])
    for (const text of [null, '', 'password', ',,']) expect(readColumns(text)).toBeNull()
  })

  it('always have the name', () => {
    expect(toggled(['name', 'status'], 'name')).toEqual(['name', 'status'])
    expect(readColumns('status')).toEqual(['name', 'status'])
  })

  it('come and go where they belong', () => {
    expect(toggled(['name', 'tags'], 'status')).toEqual(['name', 'status', 'tags'])
    expect(toggled(['name', 'status', 'tags'], 'status')).toEqual(['name', 'tags'])
    expect(tableColumns(['name', 'note']).map(({ key }) => key)).toEqual(['name', 'note'])
  })

  it('are in the address unless everybody would see them anyway', () => {
    const own = ['name', 'status']
    expect(columnsInAddress(DEFAULT_COLUMNS, null)).toBeNull()
    expect(columnsInAddress(DEFAULT_COLUMNS, DEFAULT_COLUMNS)).toBeNull()
    expect(columnsInAddress(own, null)).toBe('name,status')
    expect(columnsInAddress(own, own)).toBe('name,status')
    // This browser would show its own columns at a plain address.
    expect(columnsInAddress(DEFAULT_COLUMNS, own)).toBe(writeColumns(DEFAULT_COLUMNS))
  })
})
