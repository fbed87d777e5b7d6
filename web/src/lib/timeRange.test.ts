import { describe, expect, it } from 'vitest'
import { toLocalInput } from './localMoment'
import { askedIn, fromField, readRange, writeRange } from './timeRange'

describe('a time range', () => {
  it('is read from the URL, whatever stands there', () => {
    expect(readRange({})).toBeNull()
    expect(readRange({ range: '24h' })).toEqual({ preset: '24h' })
    expect(readRange({ range: 'forever' })).toBeNull()
    expect(readRange({ range: '24h', from: '2026-01-01' })).toEqual({ from: '2026-01-01', to: null })
    expect(readRange({ to: '2026-01-02' })).toEqual({ from: null, to: '2026-01-02' })
  })

  it('is written as one of its two forms', () => {
    expect(writeRange(null)).toEqual({ range: null, from: null, to: null })
    expect(writeRange({ preset: '7d' })).toEqual({ range: '7d', from: null, to: null })
    expect(writeRange({ from: 'a', to: null })).toEqual({ range: null, from: 'a', to: null })
  })

  it('becomes what the server knows', () => {
    const now = Date.parse('2026-03-02T10:00:00Z')
    expect(askedIn({ range: '24h', limit: 5 }, now)).toEqual({ limit: 5, from: '2026-03-01T10:00:00.000Z' })
    expect(askedIn({ range: 'forever', limit: 5 }, now)).toEqual({ limit: 5 })
    expect(askedIn({ range: '1h', to: '2026-01-02' }, now)).toEqual({ to: '2026-01-02' })
    expect(askedIn({ from: '2026-01-01' }, now)).toEqual({ from: '2026-01-01' })
  })

  it('goes through a field for local time and comes back', () => {
    const start = fromField('2026-05-06T07:08', 'start')
    expect(toLocalInput(start)).toBe('2026-05-06T07:08')
    const end = fromField('2026-05-06T07:08', 'end')
    expect(toLocalInput(end)).toBe('2026-05-06T07:08')
    expect(Date.parse(end ?? '') - Date.parse(start ?? '')).toBe(59_999)
    expect([fromField('', 'start'), toLocalInput(null), toLocalInput('soon')]).toEqual([null, '', ''])
  })
})
