import type { StrategyName } from '@/api/pool'
import type { TextKey } from '@/i18n'

interface StrategyLook {
  label: TextKey
  /** Which credential goes first. */
  hint: TextKey
  icon: string
}

/** How credentials are ranked. The server describes them in English only. */
export const STRATEGIES: Readonly<Record<StrategyName, StrategyLook>> = {
  balanced: { label: 'settings.strategy.balanced.label', hint: 'settings.strategy.balanced.hint', icon: 'i-lucide-scale' },
  success_rate: { label: 'settings.strategy.successRate.label', hint: 'settings.strategy.successRate.hint', icon: 'i-lucide-badge-check' },
  least_failures: { label: 'settings.strategy.leastFailures.label', hint: 'settings.strategy.leastFailures.hint', icon: 'i-lucide-shield' },
  round_robin: { label: 'settings.strategy.roundRobin.label', hint: 'settings.strategy.roundRobin.hint', icon: 'i-lucide-repeat' },
  health: { label: 'settings.strategy.health.label', hint: 'settings.strategy.health.hint', icon: 'i-lucide-heart-pulse' },
}

export const STRATEGY_NAMES = Object.keys(STRATEGIES) as StrategyName[]

export function strategyLook(name: unknown): StrategyLook | null {
  return typeof name === 'string' && Object.hasOwn(STRATEGIES, name) ? STRATEGIES[name as StrategyName] : null
}
