import { describe, expect, it } from 'vitest'
import type { Credential } from '@/api/credentials'
import { dryRuns, runs, summed, switching, undoing } from './target'

const many = Array.from({ length: 1_001 }, (_, index) => String(index))
const credential = (id: string, status: Credential['status'], group_id: string | null = null) => ({ id, status, group_id }) as Credential
const known = (...rows: Credential[]) => new Map(rows.map((row) => [row.id, row]))
const line = (id: string, success = true) => ({ id, success })

describe('requests of a bulk action', () => {
  it('name as many ids as the server takes', () => {
    const asked = runs({ ids: many }, { action: 'enable' }, 1_001)
    expect(asked.map(({ ids }) => ids?.length)).toEqual([500, 500, 1])
    expect(asked.flatMap(({ ids }) => ids)).toEqual(many)
    expect(asked[0]).toEqual({ action: 'enable', ids: many.slice(0, 500) })
  })

  it('run on a filter with the number that the person was told', () => {
    const filter = { 'status!': 'banned', q: 'x' }
    expect(runs({ filter }, { action: 'assign_group', group_id: null }, 7)).toEqual([{ action: 'assign_group', group_id: null, filter, expected: 7 }])
  })

  it('ask first, without a number', () => {
    expect(dryRuns({ filter: {} }, { action: 'delete' })).toEqual([{ action: 'delete', filter: {}, dry_run: true }])
    expect(dryRuns({ ids: ['a'] }, { action: 'disable' })).toEqual([{ action: 'disable', ids: ['a'], dry_run: true }])
  })

  it('add up what they reach', () => {
    const reach = { credentials: 3, accounts: 5, by_status: { available: 1, in_use: 1, disabled: 1, banned: 0 } }
    expect(summed([reach, reach])).toEqual({ credentials: 6, accounts: 10, by_status: { available: 2, in_use: 2, disabled: 2, banned: 0 } })
  })
})

it('switching leaves what is so already, and the banned', () => {
  const by_status = { available: 4, in_use: 3, disabled: 2, banned: 1 }
  expect(switching('enable', by_status)).toEqual({ changes: 2, stays: 7, refused: 1 })
  expect(switching('disable', by_status)).toEqual({ changes: 7, stays: 2, refused: 1 })
})

describe('the way back', () => {
  const rows = known(credential('a', 'available', 'g1'), credential('b', 'disabled', 'g2'), credential('c', 'in_use'), credential('d', 'banned', 'g1'))
  const lines = [line('a'), line('b'), line('c'), line('d', false)]

  it('switches only what was switched', () => {
    expect(undoing({ action: 'disable' }, rows, lines)).toEqual([{ action: 'enable', ids: ['a', 'c'] }])
    expect(undoing({ action: 'enable' }, rows, lines)).toEqual([{ action: 'disable', ids: ['b'] }])
  })

  it('brings each back into its own group', () => {
    expect(undoing({ action: 'assign_group', group_id: 'g2' }, rows, lines)).toEqual([
      { action: 'assign_group', group_id: 'g1', ids: ['a'] },
      { action: 'assign_group', group_id: null, ids: ['c'] },
    ])
  })

  it('is none for what is deleted, failed or unknown', () => {
    expect(undoing({ action: 'delete' }, rows, lines)).toEqual([])
    expect(undoing({ action: 'disable' }, rows, [line('a', false), line('z')])).toEqual([])
  })
})
