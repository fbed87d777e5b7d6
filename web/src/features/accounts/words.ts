import type { TextKey } from '@/i18n'
import { STRATEGY_TEXTS } from '@/lib/strategies'

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
