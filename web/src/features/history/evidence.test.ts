import { describe, expect, it } from 'vitest'
import { differencesOf, evidenceOf } from './evidence'
import { fromAudit, fromHistory } from './journal'

describe('evidence', () => {
  it('tells what says something, in words where there are words', () => {
    expect(evidenceOf({ allocation_id: 'A', expires_at: null, reason: 'expired', strategy: 'rule:vip', proxy_id: '', login_only: true, until: '2026-01-02T03:04:05.678Z' })).toEqual([
      { key: 'allocation_id', value: { raw: 'A' } },
      { key: 'reason', value: { text: 'history.word.expired' } },
      { key: 'strategy', value: { raw: 'rule:vip' } },
      { key: 'login_only', value: { is: true } },
      { key: 'until', value: { moment: Date.parse('2026-01-02T03:04:05.678Z') } },
    ])
  })

  it('goes into what is nested, and keeps lists together', () => {
    expect(evidenceOf({ totals: { slots: 5, strategy: 'health' }, tags: ['a', 'b'], scopes: [], group_id: 'G', min_member_level: 'gold' })).toEqual([
      { key: 'totals.slots', value: { raw: '5' } },
      { key: 'totals.strategy', value: { text: 'common.strategy.health' } },
      { key: 'tags', value: { raw: 'a, b' } },
      { key: 'group_id', value: { group: 'G' } },
      { key: 'min_member_level', value: { text: 'common.level.gold' } },
    ])
  })
})

describe('differences', () => {
  it('are the fields that changed, with nothing where there was none', () => {
    expect(differencesOf({ name: 'old', note: '', priority: 1 }, { name: 'new', priority: 1, tags: ['x'] })).toEqual([
      { key: 'name', before: { raw: 'old' }, after: { raw: 'new' } },
      { key: 'tags', before: { nothing: true }, after: { raw: 'x' } },
    ])
    expect(differencesOf(null, null)).toEqual([])
  })
})

describe('a row of the journal', () => {
  const common = { id: '1', at: '2026-01-01T00:00:00.000Z', action: 'api.banned', account_id: null, api_id: '7', ip: null, request_id: 'r' }

  it('is the same from the history and from the audit trail', () => {
    const data = { before: 'enabled', after: { max_accounts: 5 }, reason: 'why' } as never
    const history = fromHistory({ ...common, operator: 'user:a', data })
    expect(history).toMatchObject({ who: 'user:a', apiId: '7', outcome: null, before: { value: 'enabled' }, after: { max_accounts: 5 }, data: { reason: 'why' } })
    const audit = fromAudit({ ...common, actor: 'user:a', credential_id: 'C', outcome: 'failure', before: { value: 'enabled' } as never, after: null, data: null })
    expect(audit).toMatchObject({ who: 'user:a', credentialId: 'C', outcome: 'failure', before: { value: 'enabled' }, after: null, data: {} })
  })
})
