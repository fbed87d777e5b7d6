import { describe, expect, it } from 'vitest'
import { slicesOf } from './slices'
import { decode, hinted, lineStarts, sentBytes } from './text'

const data = (text: string, format: 'csv' | 'json' | 'text', hasHeader: boolean, atOnce: number) =>
  slicesOf(text, format, hasHeader, atOnce).map(({ source, lineOf }) => ['data' in source ? source.data : source.apis, lineOf(1), lineOf(2)])

describe('slices', () => {
  it('are one where the server looks at all of it', () => {
    expect(data('1:a\n2:b', 'text', false, 2)).toEqual([['1:a\n2:b', 1, 2]])
    expect(data('[1, 2]', 'json', true, 2)).toEqual([['[1, 2]', 1, 2]])
  })

  it('know where their lines stand', () => {
    expect(data('1:a\n2:b\n3:c', 'text', false, 2)).toEqual([['1:a\n2:b\n', 1, 2], ['3:c', 3, 4]])
    expect(data('{"apis": [10, 20, 30]}', 'json', true, 2)).toEqual([[[10, 20], 1, 2], [[30], 3, 4]])
  })

  it('each have the header, whatever stands above it', () => {
    expect(data('# mine\r\nid,hash\r\n1,a\r\n2,b\r\n3,c', 'csv', true, 2)).toEqual([
      ['id,hash\r\n1,a\r\n2,b\r\n', 2, 3],
      ['id,hash\r\n3,c', 4, 5],
    ])
  })

  it('keep rows whole, and an open quote spoils only what is near', () => {
    expect(data('1,a,"x\ny"\n2,b,c\n3,d,e', 'csv', false, 2).map(([text]) => text)).toEqual(['1,a,"x\ny"\n', '2,b,c\n3,d,e'])
    const broken = `1,a,"open\n${'2,b,c\n'.repeat(3_000)}`
    expect(slicesOf(broken, 'csv', false, 2_000).length).toBeGreaterThan(1)
  })

  it('cut one object a line by lines', () => {
    expect(data('{"api_id":1}\n{"api_id":2}\n{"api_id":3}', 'json', true, 2).map(([text]) => text)).toEqual(['{"api_id":1}\n{"api_id":2}\n', '{"api_id":3}'])
  })
})

describe('texts', () => {
  it('are read as they were written', () => {
    const bytes = (...values: number[]) => new Uint8Array(values)
    expect(decode(new TextEncoder().encode('海風'))).toEqual({ text: '海風', encoding: 'UTF-8' })
    expect(decode(bytes(0xae, 0xfc, 0xad, 0xb7))).toEqual({ text: '海風', encoding: 'BIG5' })
    expect(decode(bytes(0xff, 0xfe, 0x77, 0x6d))).toEqual({ text: '海', encoding: 'UTF-16LE' })
    expect(decode(bytes(0x50, 0x4b, 0x03, 0x04, 0x00))).toBeNull()
  })

  it('are counted in lines and in bytes of a request', () => {
    expect(lineStarts('a\r\nb\rc\n')).toEqual([0, 3, 5])
    expect(lineStarts('')).toEqual([])
    const text = '"a"\\\n\u0001海'
    expect(sentBytes(text)).toBe(new TextEncoder().encode(JSON.stringify(text)).length - 2)
  })

  it('show too little of a cell to use it', () => {
    expect(hinted('0123456789abcdef0123456789abcdef')).toBe('0123…cdef')
    expect(hinted('+886912345678')).toBe('+88•••78')
    expect(hinted('20100347')).toBe('20100347')
    expect(hinted('海風 01')).toBe('海風 01')
  })
})
