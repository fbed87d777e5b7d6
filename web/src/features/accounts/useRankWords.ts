import { currentLocale, useText, type TextKey } from '@/i18n'
import type { StrategyName } from '@/api/pool'
import { useFormat } from '@/lib/useFormat'
import { decider, type Part, type Ranked } from './ranking'

const MERITS: Record<StrategyName, TextKey> = {
  balanced: 'accounts.part.utilisation',
  success_rate: 'accounts.part.success_rate',
  least_failures: 'accounts.part.failures',
  round_robin: 'accounts.part.rest',
  health: 'accounts.part.health',
}

const WHYS: Record<StrategyName, TextKey> = {
  balanced: 'accounts.why.utilisation',
  success_rate: 'accounts.why.success_rate',
  least_failures: 'accounts.why.failures',
  round_robin: 'accounts.why.rest',
  health: 'accounts.why.health',
}

/** The ranking's parts in words: what each is called, what it says of a credential, and why one goes before another. */
export function useRankWords() {
  const { t } = useText()
  const format = useFormat()

  const share = (value: number, digits: number) => new Intl.NumberFormat(currentLocale(), { style: 'percent', maximumFractionDigits: digits }).format(value)

  function nameOf(part: Part, strategy: StrategyName | null): string {
    if (part === 'rule') return t('accounts.part.rule')
    if (part === 'premium') return t('accounts.part.premium')
    if (part === 'priority') return t('accounts.part.priority')
    return part === 'utilisation' || strategy === null ? t('accounts.part.utilisation') : t(MERITS[strategy])
  }

  function valueOf(part: Part, one: Ranked): string {
    if (part === 'rule') return one.rule ?? '—'
    if (part === 'premium') return t(one.premium ? 'accounts.yes' : 'accounts.no')
    if (part === 'priority') return format.count(one.priority)
    if (part === 'utilisation' || one.strategy === 'balanced') return share(one.utilisation, 1)
    if (one.strategy === 'round_robin') return one.merit === null ? t('common.never') : format.relative(one.merit)
    return one.strategy === 'success_rate' ? share(one.merit ?? 0, 2) : format.count(one.merit ?? one.key)
  }

  const called = (one: Ranked) => one.name ?? one.apiId

  /** Why one goes before the next, in a sentence. */
  function why(one: Ranked, next: Ranked): string {
    const names = { first: called(one), second: called(next) }
    const part = decider(one, next)
    if (part === 'age') return t('accounts.why.age', names)
    if (part === 'rule') return t('accounts.why.rule', { ...names, rule: one.rule ?? '' })
    if (part === 'premium') return t('accounts.why.premium', names)
    const values = { ...names, a: valueOf(part, one), b: valueOf(part, next) }
    if (part === 'priority') return t('accounts.why.priority', values)
    return t(part === 'utilisation' || one.strategy === null ? 'accounts.why.utilisation' : WHYS[one.strategy], values)
  }

  return { nameOf, valueOf, why, called }
}
