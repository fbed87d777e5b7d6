import type { Rule } from '@/api/rules'
import type { TextKey } from '@/i18n'
import { LEVEL_NAMES, levelText } from '@/lib/levels'

type Translate = (key: TextKey, named?: Record<string, string>) => string

export type Ruling = Pick<Rule, 'effect' | 'match' | 'target'>

/** A rule in one sentence: whom it is about, and what it does. `groups` names groups by id. */
export function ruleSentence(rule: Ruling, groups: ReadonlyMap<string, string>, t: Translate): { who: string; what: string } {
  return { who: who(rule.match, groups, t), what: what(rule, groups, t) }
}

function who({ account, operator, ip, level, group }: Rule['match'], groups: ReadonlyMap<string, string>, t: Translate): string {
  const parts: string[] = []
  if (account !== undefined) parts.push(t(isPattern(account) ? 'rules.who.accountsLike' : 'rules.who.account', { account }))
  if (operator !== undefined) parts.push(t(isPattern(operator) ? 'rules.who.operatorsLike' : 'rules.who.operator', { operator }))
  if (ip !== undefined) parts.push(t('rules.who.ip', { ip }))
  if (level !== undefined) parts.push(levelsText(level, t))
  if (group !== undefined) parts.push(t('rules.who.group', { group: groups.get(group) ?? group }))
  if (parts.length === 0) return t('rules.who.everybody')
  const whole = parts.reduce((whole, part) => t('rules.who.and', { whole, part }))
  return account === undefined ? t('rules.who.accounts', { whole }) : whole
}

function what({ effect, target }: Ruling, groups: ReadonlyMap<string, string>, t: Translate): string {
  if (target === null) return t('rules.what.refused')
  const named = target.group_id === undefined ? t('rules.what.credential', { id: target.api_id ?? '' }) : t('rules.what.group', { group: groups.get(target.group_id) ?? target.group_id })
  return t(WHAT[effect], { target: named })
}

const WHAT: Record<Rule['effect'], TextKey> = { deny: 'rules.what.deny', allow: 'rules.what.allow', bind: 'rules.what.bind', prefer: 'rules.what.prefer' }

function levelsText(list: string, t: Translate): string {
  const levels = list.split(',').map((level) => level.trim())
  const names = levels.map((level) => {
    const key = levelText(level)
    return key === null ? level : t(key)
  })
  const [lowest = ''] = names
  const isUpwards = levels.length > 1 && levels.join() === LEVEL_NAMES.slice(-levels.length).join()
  return isUpwards ? t('rules.who.levelUp', { level: lowest }) : t('rules.who.level', { levels: names.reduce((some, level) => t('rules.who.or', { some, level })) })
}

function isPattern(text: string): boolean {
  return /[*?]/.test(text)
}
