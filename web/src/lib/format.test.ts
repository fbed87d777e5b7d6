import { describe, expect, it } from 'vitest'
import { formatCount, formatExact, formatRelative, formatSize, parseTime } from './format'

const NOW = Date.parse('2025-11-22T12:00:00Z')
const ago = (seconds: number, locale = 'en') => formatRelative(NOW - seconds * 1000, NOW, locale)

describe('format', () => {
  it('groups counts and never shortens them', () => {
    expect(formatCount(1240, 'en')).toBe('1,240')
    expect(formatCount(12_345_678, 'zh-TW')).toBe('12,345,678')
    expect(formatCount(92.6, 'en')).toBe('93')
  })

  it('gives sizes in the unit that suits them', () => {
    expect(formatSize(0, 'en')).toBe('0 byte')
    expect(formatSize(999, 'en')).toBe('999 byte')
    expect(formatSize(41_400, 'en')).toBe('41 kB')
    expect(formatSize(1_250_000, 'en')).toBe('1.3 MB')
    expect(formatSize(2e12, 'en')).toBe('2,000 GB')
  })

  it('rounds relative times towards the present', () => {
    expect(ago(0)).toBe('now')
    expect(ago(9)).toBe('now')
    expect(ago(59)).toBe('59 sec. ago')
    expect(ago(119)).toBe('1 min. ago')
    expect(ago(3_599)).toBe('59 min. ago')
    expect(ago(30 * 3_600)).toBe('1 day ago')
    expect(ago(400 * 86_400)).toBe('1 yr. ago')
  })

  it('says what is to come, and says it in Chinese', () => {
    expect(ago(-125)).toBe('in 2 min.')
    expect(ago(125, 'zh-TW')).toBe('2 分鐘前')
    expect(ago(0, 'zh-TW')).toBe('現在')
  })

  it('gives the exact time with its zone', () => {
    expect(formatExact(NOW, 'en')).toMatch(/Nov 22, 2025.*12:00:00.*UTC/)
    expect(formatExact(NOW, 'zh-TW')).toContain('2025年11月22日')
  })

  it('takes no time from what is none', () => {
    expect(parseTime('2025-11-22T12:00:00.000Z')).toBe(NOW)
    expect(parseTime('yesterday')).toBeNull()
    expect(parseTime(null)).toBeNull()
    expect(parseTime(undefined)).toBeNull()
  })
})
