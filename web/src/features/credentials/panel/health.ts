/** How a score was made of its parts. The weights are those of `domain/src/health.rs`, as they are by default. */

export const PARTS = ['success', 'stability', 'trend', 'freshness'] as const
export type Part = (typeof PARTS)[number]

/** Points that each part can give. */
const WEIGHTS: Record<Part, number> = { success: 50, stability: 25, trend: 15, freshness: 10 }
/** What a disabled and a banned credential can't exceed; the first is nobody's cap. */
const CAPS = [100, 30, 20]

export interface HealthParts {
  /** Each from 0 to 100, before weighting. */
  values: Record<Part, number>
  /** What each gives, and could give, of the score: null where the pool weighs otherwise than by default. */
  points: Record<Part, { given: number; possible: number }> | null
  /** The parts together, before a cap. */
  sum: number | null
  /** How many results it rests on; old ones count less. */
  sample: number | null
}

/** The parts as the server told them; null when there are none, or not all. */
export function readParts(parts: Record<string, unknown> | null): HealthParts | null {
  const values = PARTS.map((part) => parts?.[part])
  if (parts === null || !values.every((value) => typeof value === 'number')) return null
  const value = Object.fromEntries(PARTS.map((part, index) => [part, values[index]])) as Record<Part, number>
  const points = Object.fromEntries(PARTS.map((part) => [part, { given: (value[part] * WEIGHTS[part]) / 100, possible: WEIGHTS[part] }])) as NonNullable<HealthParts['points']>
  const sum = Math.round(PARTS.reduce((total, part) => total + points[part].given, 0))
  // The weights can be configured, and the server doesn't tell them: what doesn't add up to its score isn't claimed.
  const addsUp = CAPS.some((cap) => Math.abs(Math.min(sum, cap) - Number(parts.score)) <= 1)
  return {
    values: value,
    points: addsUp ? points : null,
    sum: addsUp ? sum : null,
    sample: typeof parts.sample === 'number' ? parts.sample : null,
  }
}
