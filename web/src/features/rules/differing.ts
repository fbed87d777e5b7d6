import type { Rule } from '@/api/rules'
import { toLocalInput } from '@/lib/localMoment'
import type { RuleValues } from './form'
import type { Ruling } from './sentence'

export type RuleField = 'name' | 'effect' | 'who' | 'what' | 'priority' | 'expires'

interface Spoken {
  sentence: (rule: Ruling) => { who: string; what: string }
  effect: (effect: Rule['effect']) => string
  expiry: (local: string) => string
}

/** What differs between what somebody else has saved and what stands in the form, in the words of the list. */
export function differing(theirs: Rule, values: RuleValues, mine: Ruling, say: Spoken): { field: RuleField; theirs: string; mine: string }[] {
  const [a, b] = [say.sentence(theirs), say.sentence(mine)]
  const sides: [RuleField, string, string][] = [
    ['name', theirs.name, values.name.trim()],
    ['effect', say.effect(theirs.effect), say.effect(mine.effect)],
    ['who', a.who, b.who],
    ['what', a.what, b.what],
    ['priority', String(theirs.priority), String(Number(values.priority))],
    ['expires', say.expiry(toLocalInput(theirs.expires_at)), say.expiry(values.expires)],
  ]
  return sides.filter(([, x, y]) => x !== y).map(([field, x, y]) => ({ field, theirs: x, mine: y }))
}
