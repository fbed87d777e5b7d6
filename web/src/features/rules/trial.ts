import type { MemberLevel } from '@/api/credentials'
import type { Trial, TrialRequest } from '@/api/rules'
import type { TextKey } from '@/i18n'
import { ANY_GROUP, type RuleValues } from './form'

/** A request to try a rule on, as the form has it. */
export interface Sample {
  account: string
  operator: string
  ip: string
  level: MemberLevel
  group: string
}

/** A request that the rule would match: its own patterns with something in the place of each wildcard. */
export function sampleFor(values: RuleValues): Sample {
  return {
    account: filled(values.account) || '+8613800000001',
    operator: filled(values.operator),
    ip: values.ip.trim().split('/')[0] ?? '',
    level: values.levels[0] ?? 'free',
    group: values.group,
  }
}

function filled(pattern: string): string {
  return pattern.trim().replaceAll('*', '1380').replaceAll('?', '1')
}

export function requestOf({ account, operator, ip, level, group }: Sample): TrialRequest['request'] {
  return {
    account_id: account.trim(),
    member_level: level,
    ...(operator.trim() !== '' && { operator: operator.trim() }),
    ...(ip.trim() !== '' && { ip: ip.trim() }),
    ...(group !== ANY_GROUP && { group_id: group }),
  } as TrialRequest['request']
}

/** What the rule changes for this request, in one line. */
export function verdict({ without, with: after }: Trial): TextKey {
  if (after.chosen === null) return without.chosen === null ? (without.refusal?.code === after.refusal?.code ? 'rules.trial.stillRefused' : 'rules.trial.refusedOtherwise') : 'rules.trial.nowRefused'
  if (without.chosen === null) return 'rules.trial.nowChosen'
  if (without.chosen.id !== after.chosen.id) return 'rules.trial.another'
  if (without.would_use !== after.would_use) return 'rules.trial.sameByRule'
  const ranking = (side: Trial['with']) => side.candidates.map(({ id }) => id).join()
  return ranking(without) === ranking(after) && JSON.stringify(without.rejected) === JSON.stringify(after.rejected) ? 'rules.trial.nothing' : 'rules.trial.sameFirst'
}
