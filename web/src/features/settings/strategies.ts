import type { StrategyName } from '@/api/pool'
import type { TextKey } from '@/i18n'
import { STRATEGY_TEXTS } from '@/lib/strategies'

interface StrategyLook {
  label: TextKey
  /** Which credential goes first. */
  hint: TextKey
  icon: string
}

/** How credentials are ranked. The server describes them in English only. */
export const STRATEGIES: Readonly<Record<StrategyName, StrategyLook>> = {
  balanced: { label: STRATEGY_TEXTS.balanced, hint: 'settings.strategy.balanced', icon: 'i-lucide-scale' },
  success_rate: { label: STRATEGY_TEXTS.success_rate, hint: 'settings.strategy.successRate', icon: 'i-lucide-badge-check' },
  least_failures: { label: STRATEGY_TEXTS.least_failures, hint: 'settings.strategy.leastFailures', icon: 'i-lucide-shield' },
  round_robin: { label: STRATEGY_TEXTS.round_robin, hint: 'settings.strategy.roundRobin', icon: 'i-lucide-repeat' },
  health: { label: STRATEGY_TEXTS.health, hint: 'settings.strategy.health', icon: 'i-lucide-heart-pulse' },
}

export function strategyLook(name: unknown): StrategyLook | null {
  return typeof name === 'string' && Object.hasOwn(STRATEGIES, name) ? STRATEGIES[name as StrategyName] : null
}
