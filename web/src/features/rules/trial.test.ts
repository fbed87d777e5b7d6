import { expect, it } from 'vitest'
import type { Trial } from '@/api/rules'
import { valuesOf, type RuleValues } from './form'
import { requestOf, sampleFor, verdict } from './trial'

type Side = Trial['with']
const chosen = (id: string, would_use = 'balanced', others: string[] = []): Side =>
  ({ chosen: { id, api_id: '1', name: id }, would_use, candidates: [id, ...others].map((one) => ({ id: one })), rejected: {} }) as unknown as Side
const refused = (code: string): Side => ({ chosen: null, would_use: null, candidates: [], rejected: {}, refusal: { code } }) as unknown as Side

it('proposes a request that the rule matches', () => {
  const values: RuleValues = { ...valuesOf(null), account: '+86*', operator: 'svc:?*', ip: '203.0.113.0/24', levels: ['gold', 'king'], group: 'g1' }
  expect(sampleFor(values)).toEqual({ account: '+861380', operator: 'svc:11380', ip: '203.0.113.0', level: 'gold', group: 'g1' })
  expect(requestOf(sampleFor(values))).toEqual({ account_id: '+861380', member_level: 'gold', operator: 'svc:11380', ip: '203.0.113.0', group_id: 'g1' })
})

it('leaves out what nobody has said', () => {
  expect(requestOf(sampleFor(valuesOf(null)))).toEqual({ account_id: '+8613800000001', member_level: 'free' })
})

it('says what the rule changes', () => {
  expect(verdict({ without: chosen('a'), with: chosen('a') })).toBe('rules.trial.nothing')
  expect(verdict({ without: chosen('a', 'balanced', ['b']), with: chosen('a') })).toBe('rules.trial.sameFirst')
  expect(verdict({ without: chosen('a'), with: chosen('a', 'rule:x') })).toBe('rules.trial.sameByRule')
  expect(verdict({ without: chosen('a'), with: chosen('b') })).toBe('rules.trial.another')
  expect(verdict({ without: chosen('a'), with: refused('denied_by_rule') })).toBe('rules.trial.nowRefused')
  expect(verdict({ without: refused('pool_full'), with: chosen('b') })).toBe('rules.trial.nowChosen')
  expect(verdict({ without: refused('pool_full'), with: refused('pool_full') })).toBe('rules.trial.stillRefused')
  expect(verdict({ without: refused('pool_full'), with: refused('denied_by_rule') })).toBe('rules.trial.refusedOtherwise')
})
