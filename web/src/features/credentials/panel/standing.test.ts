import { describe, expect, it } from 'vitest'
import type { Credential } from '@/api/credentials'
import type { HistoryEntry } from '@/api/journal'
import { reasonsOf } from './standing'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const FINE = { status: 'in_use', current_accounts: 3, max_accounts: 5, free_slots: 2, consecutive_failures: 0, cooldown_until: null, last_failure_at: null, ban_reason: null } as unknown as Credential
const decided = (action: string, data: Record<string, unknown> | null = null) => ({ action, operator: 'user:mei', at: '2026-03-01T11:00:00.000Z', data }) as HistoryEntry

describe('why a credential is as it is', () => {
  it('has room', () => {
    expect(reasonsOf(FINE, undefined, NOW)).toEqual([{ is: 'open', free: 2 }])
  })

  it('is full, or holds more than it may', () => {
    expect(reasonsOf({ ...FINE, current_accounts: 5, free_slots: 0 }, undefined, NOW)).toEqual([{ is: 'full', accounts: 5 }])
    expect(reasonsOf({ ...FINE, current_accounts: 7, free_slots: 0 }, undefined, NOW)).toEqual([{ is: 'draining', over: 2 }])
  })

  it('was banned by a person or by evidence, and how many it hits', () => {
    const banned = { ...FINE, status: 'banned', ban_reason: 'revoked' } as Credential
    expect(reasonsOf(banned, decided('api.banned', { reason: 'revoked' }), NOW)).toEqual([
      { is: 'banned', reason: 'revoked', by: 'user:mei', at: '2026-03-01T11:00:00.000Z', byEvidence: false, accounts: 3 },
    ])
    expect(reasonsOf(banned, decided('api.banned', { reason: 'revoked', by: 'evidence' }), NOW)[0]).toMatchObject({ byEvidence: true })
  })

  it('names nobody for a decision that was another one', () => {
    const disabled = { ...FINE, status: 'disabled' } as Credential
    expect(reasonsOf(disabled, decided('api.enabled'), NOW)[0]).toEqual({ is: 'disabled', reason: null, by: null, at: null, accounts: 3 })
    expect(reasonsOf(disabled, decided('api.disabled', { reason: 'its import was undone' }), NOW)[0]).toMatchObject({ by: 'user:mei', reason: 'its import was undone' })
  })

  it('cools until a time to come, and counts failures in a row', () => {
    const until = '2026-03-01T12:05:00.000Z'
    const last = '2026-03-01T11:59:00.000Z'
    expect(reasonsOf({ ...FINE, cooldown_until: until, consecutive_failures: 2, last_failure_at: last }, undefined, NOW)).toEqual([
      { is: 'cooling', until },
      { is: 'failing', times: 2, last },
    ])
    expect(reasonsOf({ ...FINE, consecutive_failures: 2, last_failure_at: last }, undefined, NOW)).toEqual([
      { is: 'failing', times: 2, last },
      { is: 'open', free: 2 },
    ])
    expect(reasonsOf({ ...FINE, cooldown_until: '2026-03-01T11:59:00.000Z' }, undefined, NOW)).toEqual([{ is: 'open', free: 2 }])
  })
})
