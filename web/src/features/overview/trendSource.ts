import type { Trend } from '@/api/pool'

/** The trend as the page has it, for the charts that share it. */
export interface TrendSource {
  trend: Trend | undefined
  /** When it was answered: the present of its charts. */
  at: number
  error: Error | null
  fetching: boolean
  retry: () => unknown
}
