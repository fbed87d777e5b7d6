import { describe, expect, it } from 'vitest'
import { PARTS, readParts } from './health'

const TOLD = { score: 67, grade: 'fair', success: 84.89, stability: 100, trend: 0, freshness: 0, sample: 6.99, weights: { success: 0.5, stability: 0.25, trend: 0.15, freshness: 0.1 } }

describe('the parts of a score', () => {
  it('give points that add up to it', () => {
    const parts = readParts(TOLD)
    expect(parts?.points?.success).toEqual({ given: expect.closeTo(42.445), possible: 50 })
    expect(PARTS.reduce((sum, part) => sum + (parts?.points?.[part].possible ?? 0), 0)).toBe(100)
    expect([parts?.sum, parts?.sample]).toEqual([67, 6.99])
  })

  it('still add up where the score was capped', () => {
    expect(readParts({ ...TOLD, score: 20 })?.sum).toBe(67)
    expect(readParts({ ...TOLD, score: 30 })?.sum).toBe(67)
  })

  it('weigh as the server says', () => {
    const weights = { success: 0.2, stability: 0.3, trend: 0.3, freshness: 0.2 }
    const parts = readParts({ ...TOLD, score: 47, weights })
    expect(parts?.points?.success).toEqual({ given: expect.closeTo(16.978), possible: 20 })
    expect(parts?.sum).toBe(47)
  })

  it('claim no points when nobody says how they weigh', () => {
    const { weights: _, ...old } = TOLD
    expect(readParts(old)).toMatchObject({ points: null, sum: null, values: { success: 84.89 } })
  })

  it('are none before the first scoring', () => {
    expect(readParts(null)).toBeNull()
    expect(readParts({ score: 100 })).toBeNull()
  })
})
