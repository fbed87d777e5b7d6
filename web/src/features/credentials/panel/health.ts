/** How a score was made of its parts, by the weights that the server tells with it. */

export const PARTS = ['success', 'stability', 'trend', 'freshness'] as const
export type Part = (typeof PARTS)[number]

export interface HealthParts {
  /** Each from 0 to 100, before weighting. */
  values: Record<Part, number>
  /** What each gives, and could give, of the score: null when a score of an earlier release doesn't say. */
  points: Record<Part, { given: number; possible: number }> | null
  /** The parts together, before a cap. */
  sum: number | null
  /** How many results it rests on; old ones count less. */
  sample: number | null
}

/** The parts as the server told them; null when there are none, or not all. */
export function readParts(parts: Record<string, unknown> | null): HealthParts | null {
  const values = numbers(parts)
  if (parts === null || values === null) return null
  const weights = numbers(parts.weights)
  const points = weights && (Object.fromEntries(PARTS.map((part) => [part, { given: values[part] * weights[part], possible: 100 * weights[part] }])) as Record<Part, { given: number; possible: number }>)
  return {
    values,
    points,
    sum: points && Math.round(PARTS.reduce((total, part) => total + points[part].given, 0)),
    sample: typeof parts.sample === 'number' ? parts.sample : null,
  }
}

/** One number a part, or null. */
function numbers(told: unknown): Record<Part, number> | null {
  const values = PARTS.map((part) => (told as Partial<Record<Part, unknown>> | null | undefined)?.[part])
  return values.every((value) => typeof value === 'number') ? (Object.fromEntries(PARTS.map((part, index) => [part, values[index]])) as Record<Part, number>) : null
}
