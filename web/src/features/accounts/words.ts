import type { MemberLevel } from '@/api/credentials'
import type { StrategyName } from '@/api/pool'
import type { TextKey } from '@/i18n'

export const STRATEGIES: readonly StrategyName[] = ['balanced', 'success_rate', 'least_failures', 'round_robin', 'health']

/** From the lowest to the highest. */
export const LEVELS: readonly MemberLevel[] = ['free', 'bronze', 'silver', 'gold', 'diamond', 'star', 'king']

export const LEVEL_TEXTS: Record<MemberLevel, TextKey> = {
  free: 'accounts.level.free',
  bronze: 'accounts.level.bronze',
  silver: 'accounts.level.silver',
  gold: 'accounts.level.gold',
  diamond: 'accounts.level.diamond',
  star: 'accounts.level.star',
  king: 'accounts.level.king',
}

export const STRATEGY_TEXTS: Record<StrategyName, TextKey> = {
  balanced: 'accounts.strategy.balanced',
  success_rate: 'accounts.strategy.success_rate',
  least_failures: 'accounts.strategy.least_failures',
  round_robin: 'accounts.strategy.round_robin',
  health: 'accounts.strategy.health',
}

/** How a credential was chosen, as `strategy_used` says it: a strategy, or what went before it. */
const VIA_TEXTS: Readonly<Record<string, TextKey>> = {
  ...STRATEGY_TEXTS,
  existing: 'accounts.strategy.existing',
  affinity: 'accounts.strategy.affinity',
  manual: 'accounts.strategy.manual',
}

/** The rule's name in `rule:<name>`. */
export function ruleIn(via: string): string | null {
  return via.startsWith('rule:') ? via.slice('rule:'.length) : null
}

/** What to call a way of choosing; null for one that nobody knows yet. */
export function viaText(via: string): { key: TextKey; rule?: string } | null {
  const rule = ruleIn(via)
  if (rule !== null) return { key: 'accounts.strategy.rule', rule }
  const key = VIA_TEXTS[via]
  return key === undefined ? null : { key }
}
