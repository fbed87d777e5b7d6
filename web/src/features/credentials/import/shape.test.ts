import { describe, expect, it } from 'vitest'
import { cellsOf, delimiterOf, shapeOf } from './shape'

const format = (text: string) => shapeOf(text, 'auto', {}).format
const fields = (text: string, choices = {}) => shapeOf(text, 'auto', choices).columns.map(({ key, field }) => [key, field])

describe('the shape of a text', () => {
  it('is found out', () => {
    expect(format('20100347:0123456789abcdef\n20100348:0123456789abcdef:Name')).toBe('text')
    expect(format('20100347,0123456789abcdef')).toBe('text')
    expect(format('# note\n\napi_id,api_hash\n1,a')).toBe('csv')
    expect(format('1,a,"Name, too"')).toBe('csv')
    expect(format('1;a;Name\n2;b;Other')).toBe('csv')
    expect(format(' [{"api_id": 1}]')).toBe('json')
    expect(format('')).toBe('text')
  })

  it('has columns with what they hold', () => {
    expect(shapeOf('api_id;hash;what\n1;abc;x', 'auto', {})).toEqual({
      format: 'csv',
      hasHeader: true,
      columns: [
        { key: 'api_id', header: 'api_id', sample: '1', field: 'api_id' },
        { key: 'hash', header: 'hash', sample: 'abc', field: 'api_hash' },
        { key: 'what', header: 'what', sample: 'x', field: null },
      ],
    })
    expect(fields('1,a,Name,7\n2,b,Other,8')).toEqual([['0', 'api_id'], ['1', 'api_hash'], ['2', 'name'], ['3', null]])
    expect(fields('{"app_id": 1, "secret": "x"}', { secret: 'api_hash' })).toEqual([['app_id', 'api_id'], ['secret', 'api_hash']])
  })

  it('knows a header that is not in our words', () => {
    const text = '編號,金鑰,稱呼\n20100347,0123,海風\n20100348,4567,夜航'
    expect(fields(text)).toEqual([['編號', null], ['金鑰', null], ['稱呼', null]])
    expect(fields(text, { 編號: 'api_id', 金鑰: 'api_hash' })).toEqual([['編號', 'api_id'], ['金鑰', 'api_hash'], ['稱呼', null]])
  })

  it('cuts cells as they are quoted', () => {
    expect(cellsOf('1,"a, ""b""",c', ',')).toEqual(['1', 'a, "b"', 'c'])
    expect(cellsOf('1,"open,c,', ',')).toEqual(['1', '"open', 'c', ''])
    expect(delimiterOf(['api_id\tapi_hash', '1\ta'])).toBe('\t')
    expect(delimiterOf(['alone'])).toBeNull()
  })

  it('knows a header of plain lines', () => {
    expect(shapeOf('api_id:api_hash\n1:a', 'text', {}).hasHeader).toBe(true)
    expect(shapeOf('1:a', 'text', {}).hasHeader).toBe(false)
  })
})
