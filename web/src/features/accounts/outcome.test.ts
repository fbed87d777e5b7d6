import { describe, expect, it } from 'vitest'
import type { Preview } from '@/api/allocation'
import { emptyAsk } from './ask'
import { accountFault, fullCount, hintsOf, isGranted, listOf, outcomeOf, pinFault } from './outcome'

type Cause = Record<string, string>
const refused = (code: string, cause: Cause = {}, rejected: Record<string, number> = {}): Preview => ({
  chosen: null,
  would_use: null,
  candidates: [],
  rejected,
  refusal: { code, message: '', number: 0, details: Object.entries(cause).map(([field, message]) => ({ field, message })) },
})
const granted = (would_use: string, candidates = 0): Preview => ({ chosen: { id: 'C', api_id: '1', name: 'One' }, would_use, candidates: Array(candidates).fill({}) as never, rejected: {} })
const ask = emptyAsk('a')

describe('an outcome', () => {
  it('is told by how the credential would be chosen', () => {
    const kinds = ['existing', 'affinity', 'manual', 'rule:the vip: one', 'health'].map((via) => outcomeOf(granted(via)))
    expect(kinds.map(({ kind }) => kind)).toEqual(['keeps', 'returns', 'pinned', 'ruled', 'ranked'])
    expect(kinds[3]?.rule).toBe('the vip: one')
    expect(kinds.every(({ kind }) => isGranted(kind))).toBe(true)
  })

  it('tells a full pool from one that has nothing for this account', () => {
    expect(outcomeOf(refused('pool_full')).kind).toBe('full')
    expect(outcomeOf(refused('none_available')).kind).toBe('ineligible')
    expect(outcomeOf(refused('denied_by_rule', { rule: 'night shift' }))).toEqual({ kind: 'denied', rule: 'night shift' })
    expect(outcomeOf(refused('something_new')).kind).toBe('refused')
    expect(isGranted('full')).toBe(false)
  })

  it('reads what stands against a pin or an account', () => {
    const pin = (pinned: string) => pinFault(refused('pinned_unavailable', { pinned }).refusal)
    expect(['holds_another', 'unknown', 'full', 'level', 'bad luck'].map(pin)).toEqual(['holds_another', 'unknown', 'full', 'level', null])
    const account = (cause: Cause) => accountFault(refused('account_unavailable', cause).refusal)
    expect(account({ account: 'cooling', until: '2026-01-01T00:00:00.000Z' })).toEqual({ state: 'cooling', until: '2026-01-01T00:00:00.000Z' })
    expect(account({ account: 'retired' })).toEqual({ state: 'retired', until: null })
    expect(account({ account: 'frozen' })?.state).toBe('frozen')
    expect(account({ account: 'dreaming' })).toBeNull()
    expect(accountFault(refused('pool_full').refusal)).toBeNull()
  })

  it('counts the full ones only where that is known', () => {
    const preview = { ...granted('health', 3), rejected: { banned: 2, group: 5 } }
    expect(fullCount(preview, { total: 14 })).toBe(4)
    expect(fullCount(preview, { total: 9 })).toBe(0)
    expect(fullCount(preview, { total: 10_000, total_is_capped: true })).toBeNull()
    expect(fullCount(granted('health', 50), { total: 100 })).toBeNull()
    expect(fullCount(preview, undefined)).toBeNull()
  })
})

describe('hints', () => {
  const texts = (preview: Preview, of = ask) => hintsOf(preview, of, 3).map(({ text }) => text)

  it('come from what was counted', () => {
    const counted = { group: 4, level: 2, cooling: 1, disabled: 0, banned: 3, rule: 5 }
    expect(texts(refused('none_available', {}, counted), { ...ask, group: 'G' })).toEqual([
      'accounts.hint.group',
      'accounts.hint.level',
      'accounts.hint.cooling',
      'accounts.hint.rule',
      'accounts.hint.banned',
      'accounts.hint.import',
    ])
    expect(texts(refused('none_available', {}, {}))).toEqual(['accounts.hint.import'])
    expect(hintsOf(refused('pool_full', {}, { disabled: 2 }), ask, 3)).toMatchObject([{ text: 'accounts.hint.grow', n: 3 }, { text: 'accounts.hint.disabled', n: 2 }, { text: 'accounts.hint.import' }])
  })

  it('can be tried at once where they change the request', () => {
    expect(hintsOf(granted('existing'), ask, null)[0]?.change).toEqual({ fresh: true })
    expect(hintsOf(granted('manual'), ask, null)[0]?.change).toEqual({ apiId: '' })
    expect(texts(refused('pinned_unavailable', { pinned: 'holds_another' }))).toEqual(['accounts.hint.moveToPinned', 'accounts.hint.unpin'])
    expect(texts(refused('credential_banned'))).toEqual(['accounts.hint.leaveBanned'])
    expect(texts(granted('health'))).toEqual([])
  })
})

it('a reason leads to the list of those that it holds for', () => {
  const asked = { ...ask, group: 'G', level: 'diamond' as const }
  expect(listOf('level', asked)).toEqual({ name: 'credentials', query: { min_member_level: 'star,king', group_id: 'G' } })
  expect(listOf('group', asked).query).toEqual({ 'group_id!': 'G' })
  expect(listOf('disabled', ask).query).toEqual({ status: 'disabled' })
  expect(listOf('rule', ask)).toEqual({ name: 'rules' })
})
