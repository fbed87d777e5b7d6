import * as z from 'zod/mini'
import type { MemberLevel } from '@/api/credentials'
import { Problem } from '@/api/problem'
import type { NewRule, Rule, RuleChange, RuleEffect } from '@/api/rules'
import type { TextKey } from '@/i18n'
import { changedMoment, toLocalInput } from '@/lib/localMoment'
import { LEVEL_NAMES } from '@/lib/levels'

// Validators compiled at run time would need `unsafe-eval`.
z.config({ jitless: true })

/** Stands for no group: a choice can't be empty. */
export const ANY_GROUP = 'any'

export type TargetKind = 'none' | 'credential' | 'group'

/** A rule in full, for adding it as well as for changing one. */
export type RuleBody = NewRule & RuleChange

/** A rule as the form has it: flat, and nothing is null. */
export interface RuleValues extends Record<string, unknown> {
  name: string
  effect: RuleEffect
  account: string
  operator: string
  ip: string
  levels: MemberLevel[]
  group: string
  targetKind: TargetKind
  targetApiId: string
  targetGroup: string
  priority: string
  expires: string
}

/** `lowest` is the priority of the rule that is asked last: a new one goes after it. */
export function valuesOf(rule: Rule | null, lowest: number | null = null): RuleValues {
  return {
    name: rule?.name ?? '',
    effect: rule?.effect ?? 'bind',
    account: rule?.match.account ?? '',
    operator: rule?.match.operator ?? '',
    ip: rule?.match.ip ?? '',
    levels: rule?.match.level?.split(',').map((level) => level.trim() as MemberLevel) ?? [],
    group: rule?.match.group ?? ANY_GROUP,
    targetKind: rule?.target?.api_id !== undefined ? 'credential' : rule === null || rule.target !== null ? 'group' : 'none',
    targetApiId: rule?.target?.api_id ?? '',
    targetGroup: rule?.target?.group_id ?? '',
    priority: String(rule?.priority ?? nextPriority(lowest)),
    expires: toLocalInput(rule?.expires_at),
  }
}

function nextPriority(lowest: number | null): number {
  return lowest === null ? 100 : Math.max(-1_000_000, lowest - 10)
}

export function ruleForm(t: (key: TextKey) => string) {
  return z
    .object({
      name: z.string().check(z.trim(), z.minLength(1, t('rules.form.nameMissing')), z.maxLength(200, t('rules.form.nameLong'))),
      priority: z.string().check(z.refine((text) => /^[+-]?\d+$/.test(text.trim()) && Math.abs(Number(text)) <= 1_000_000, t('rules.form.priorityWrong'))),
      effect: z.string(),
      targetKind: z.string(),
      targetApiId: z.string(),
      targetGroup: z.string(),
    })
    .check(({ value, issues }) => {
      const wrong = (field: string, message: string) => issues.push({ code: 'custom', path: [field], input: value, message })
      if (value.targetKind === 'none' && value.effect !== 'deny') wrong('targetKind', t('rules.form.targetMissing'))
      if (value.targetKind === 'credential' && !/^\d+$/.test(value.targetApiId.trim())) wrong('targetApiId', t('rules.form.apiIdWrong'))
      if (value.targetKind === 'group' && value.targetGroup === '') wrong('targetGroup', t('rules.form.groupMissing'))
    })
}

/** All of it: "mine over theirs" then means what it says. `before` keeps the seconds of an expiry that nobody touched. */
export function bodyOf(values: RuleValues, before: Rule | null): RuleBody {
  const text = (value: string) => (value.trim() === '' ? undefined : value.trim())
  const match = {
    account: text(values.account),
    operator: text(values.operator),
    ip: text(values.ip),
    level: text(LEVEL_NAMES.filter((level) => values.levels.includes(level)).join(',')),
    group: values.group === ANY_GROUP ? undefined : values.group,
  }
  const target = { none: null, credential: { api_id: values.targetApiId.trim() }, group: { group_id: values.targetGroup } }[values.targetKind]
  return {
    name: values.name.trim(),
    effect: values.effect,
    match,
    target,
    priority: Number(values.priority),
    expires_at: changedMoment(values.expires, before?.expires_at),
  } as unknown as RuleBody
}

/** The same rule again, as it was: for taking a change back. */
export function sameAgain({ name, effect, match, target, priority, enabled, expires_at }: Rule): RuleBody {
  return { name, effect, match, target, priority, enabled, expires_at } as unknown as RuleBody
}

const FIELDS: Readonly<Record<string, string>> = {
  'match.account': 'account',
  'match.operator': 'operator',
  'match.ip': 'ip',
  'match.level': 'levels',
  'match.group': 'group',
  target: 'targetKind',
  'target.api_id': 'targetApiId',
  'target.group_id': 'targetGroup',
  expires_at: 'expires',
}

/** What the server says of a rule's field, beside the form's field of that name. */
export function besideFields(problem: Problem): Problem {
  const details = problem.details.map(({ field, message }) => {
    const name = field.replace(/^rule\./, '')
    return { field: FIELDS[name] ?? name, message }
  })
  return new Problem(problem.code, problem.status, problem.message, problem.requestId, problem.retryAfter, details)
}
