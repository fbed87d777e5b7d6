import type { StrategyName } from '@/api/pool'
import type { TextKey } from '@/i18n'

/** What to call a way of ranking. */
export const STRATEGY_TEXTS: Readonly<Record<StrategyName, TextKey>> = {
  balanced: 'common.strategy.balanced',
  success_rate: 'common.strategy.success_rate',
  least_failures: 'common.strategy.least_failures',
  round_robin: 'common.strategy.round_robin',
  health: 'common.strategy.health',
}

export const STRATEGY_NAMES = Object.keys(STRATEGY_TEXTS) as StrategyName[]
