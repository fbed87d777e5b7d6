import { expect, it } from 'vitest'
import { Problem } from '@/api/problem'
import type { Rule } from '@/api/rules'
import { besideFields, bodyOf, ruleForm, valuesOf, type RuleValues } from './form'

const RULE: Rule = {
  id: 'r1',
  name: 'China',
  effect: 'bind',
  match: { account: '+86*', level: 'king,gold' },
  target: { group_id: 'g1' },
  priority: 70,
  enabled: true,
  expires_at: '2027-03-04T05:06:07.890Z',
  created_at: '2027-01-01T00:00:00.000Z',
  updated_at: '2027-01-01T00:00:00.000Z',
  version: 2,
}
const said = (values: RuleValues) => ruleForm((key) => key).safeParse(values).error?.issues.map(({ path, message }) => [path[0], message])

it('sends a rule as it stands in the form, and keeps what nobody has touched', () => {
  expect(JSON.parse(JSON.stringify(bodyOf(valuesOf(RULE), RULE)))).toEqual({
    name: 'China',
    effect: 'bind',
    match: { account: '+86*', level: 'gold,king' },
    target: { group_id: 'g1' },
    priority: 70,
    expires_at: '2027-03-04T05:06:07.890Z',
  })
})

it('puts a new rule after all others', () => {
  expect(valuesOf(null).priority).toBe('100')
  expect(valuesOf(null, 30).priority).toBe('20')
  expect(valuesOf(null, -1_000_000).priority).toBe('-1000000')
})

it('says what is missing', () => {
  const fresh = valuesOf(null)
  expect(said(valuesOf(RULE))).toBeUndefined()
  expect(said(fresh)).toEqual([
    ['name', 'rules.form.nameMissing'],
    ['targetGroup', 'rules.form.groupMissing'],
  ])
  const named = { ...fresh, name: 'x' }
  expect(said({ ...named, targetKind: 'none' })).toEqual([['targetKind', 'rules.form.targetMissing']])
  expect(said({ ...named, targetKind: 'none', effect: 'deny' })).toBeUndefined()
  expect(said({ ...named, targetKind: 'credential', targetApiId: '12a' })).toEqual([['targetApiId', 'rules.form.apiIdWrong']])
  expect(said({ ...named, targetKind: 'credential', targetApiId: '12', priority: '1.5' })).toEqual([['priority', 'rules.form.priorityWrong']])
  expect(said({ ...named, targetKind: 'credential', targetApiId: '12', priority: '1000001' })).toEqual([['priority', 'rules.form.priorityWrong']])
})

it('puts what the server refuses beside the field', () => {
  const problem = new Problem('invalid_parameter', 422, '', 'req', null, [
    { field: 'match.ip', message: 'must be an address' },
    { field: 'rule.target.group_id', message: 'is not one of the groups' },
    { field: 'name', message: 'is required' },
  ])
  expect(besideFields(problem).details.map(({ field }) => field)).toEqual(['ip', 'targetGroup', 'name'])
})
