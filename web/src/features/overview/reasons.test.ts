import { expect, it } from 'vitest'
import type { Credential } from '@/api/credentials'
import { reasonOf, type Reason } from './reasons'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const LATER = '2026-03-01T13:00:00Z'
const PLAIN = { status: 'available', ban_reason: null, consecutive_failures: 0, cooldown_until: null, success_count: 12, fail_count: 0 }

const CASES: [object, Reason][] = [
  [{}, { is: 'weak' }],
  [{ fail_count: 4 }, { is: 'unreliable', fail: 4, results: 16 }],
  [{ fail_count: 4, consecutive_failures: 1 }, { is: 'unreliable', fail: 4, results: 16 }],
  [{ fail_count: 4, consecutive_failures: 3 }, { is: 'failing', n: 3 }],
  [{ fail_count: 4, cooldown_until: LATER }, { is: 'cooling', until: NOW + 3_600_000 }],
  [{ fail_count: 4, cooldown_until: '2026-03-01T11:00:00Z' }, { is: 'unreliable', fail: 4, results: 16 }],
  [{ status: 'banned', ban_reason: 'revoked', consecutive_failures: 3 }, { is: 'banned', why: 'revoked' }],
  [{ status: 'banned' }, { is: 'banned', why: null }],
]

it.each(CASES)('%j', (change, reason) => {
  expect(reasonOf({ ...PLAIN, ...change } as Credential, NOW)).toEqual(reason)
})
