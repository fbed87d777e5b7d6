import { describe, expect, it } from 'vitest'
import type { Candidate } from '@/api/allocation'
import { barOf, decider, moreWins, rankedOf, shownParts, type Ranked } from './ranking'

const candidate = (parts: Record<string, unknown>, utilisation = 0): Candidate => ({
  id: 'C',
  api_id: '7',
  name: null,
  rank: 1,
  utilisation,
  why: '',
  parts: { preferred_by: null, premium: false, priority: 0, strategy: 'utilisation', strategy_key: 0, utilisation, ...parts } as never,
})
const ranked = (change: Partial<Ranked>): Ranked => ({ ...rankedOf(candidate({})), ...change })

describe('the ranking', () => {
  it('reads what the strategy looked at in its own unit', () => {
    const merit = (strategy: string, strategy_key: number) => rankedOf(candidate({ strategy, strategy_key })).merit
    expect(merit('utilisation', 250_000)).toBe(0.25)
    expect(merit('success rate', -937_304)).toBe(0.937304)
    expect(merit('health score', -88)).toBe(88)
    expect(merit('recent failures', 3)).toBe(3)
    expect(merit('time since last allocated', 0)).toBeNull()
    expect(merit('time since last allocated', 1_700_000_000_000)).toBe(1_700_000_000_000)
    expect(rankedOf(candidate({ strategy: 'stars' }))).toMatchObject({ strategy: null, merit: 0 })
  })

  it('tells the first part in which two differ', () => {
    const next = ranked({ key: 5, utilisation: 0.5 })
    expect(decider(ranked({ rule: 'vip', key: 5 }), next)).toBe('rule')
    expect(decider(ranked({ premium: true, priority: 3 }), next)).toBe('premium')
    expect(decider(ranked({ priority: 3, key: 1 }), next)).toBe('priority')
    expect(decider(ranked({ key: 1 }), next)).toBe('strategy')
    expect(decider(ranked({ key: 5, utilisation: 0.2 }), next)).toBe('utilisation')
    expect(decider(next, next)).toBe('age')
  })

  it('shows the parts that differ, and the share of slots once', () => {
    const balanced = ranked({})
    expect(shownParts([balanced, ranked({ utilisation: 0.5 })])).toEqual({ columns: ['utilisation'], alike: ['rule', 'premium', 'priority'] })
    expect(shownParts([ranked({ priority: 2 }), balanced]).columns).toEqual(['priority', 'utilisation'])
    const health = ranked({ strategy: 'health', rule: 'vip' })
    expect(shownParts([health, { ...health, premium: true }])).toEqual({ columns: ['rule', 'premium', 'strategy', 'utilisation'], alike: ['priority'] })
  })

  it('draws all bars of a part on one scale', () => {
    const now = 1_000
    const priorities = [ranked({ priority: 3 }), ranked({ priority: 0 }), ranked({ priority: -1 })]
    expect(priorities.map((one) => barOf('priority', one, priorities, now))).toEqual([1, 0.25, 0])
    const failures = [1, 4].map((merit) => ranked({ strategy: 'least_failures', merit }))
    expect(failures.map((one) => barOf('strategy', one, failures, now))).toEqual([0.25, 1])
    const rests = [null, 200, 600].map((merit) => ranked({ strategy: 'round_robin', merit }))
    expect(rests.map((one) => barOf('strategy', one, rests, now))).toEqual([1, 1, 0.5])
    expect(barOf('utilisation', ranked({ utilisation: 1.5 }), [], now)).toBe(1)
    expect(barOf('strategy', ranked({ strategy: 'health', merit: 88 }), [], now)).toBe(0.88)
  })

  it('knows which end of a bar wins', () => {
    expect([moreWins('utilisation', 'health'), moreWins('strategy', 'least_failures'), moreWins('strategy', 'balanced')]).toEqual([false, false, false])
    expect([moreWins('strategy', 'health'), moreWins('priority', 'balanced'), moreWins('premium', null)]).toEqual([true, true, true])
  })
})
