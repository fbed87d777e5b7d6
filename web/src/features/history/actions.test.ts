import { expect, it } from 'vitest'
import { ALL_ACTIONS, bySubject, lookOf, POOL_ACTIONS } from './actions'

it('every action is about something, once', () => {
  expect(bySubject(ALL_ACTIONS).map(({ action }) => action).sort()).toEqual([...ALL_ACTIONS].sort())
})

it('the pool’s history is a part of the whole', () => {
  expect(POOL_ACTIONS.length).toBeGreaterThan(20)
  expect(POOL_ACTIONS.filter((action) => action.startsWith('user.'))).toEqual([])
  expect(new Set(bySubject(POOL_ACTIONS).map(({ subject }) => subject)).size).toBe(5)
})

it('an action that nobody knows yet keeps its name', () => {
  expect(lookOf('moon.risen')).toEqual({ label: null, icon: 'i-lucide-circle', tint: 'text-muted' })
  expect(lookOf('api.banned')).toMatchObject({ label: 'history.action.api_banned', tint: 'text-error' })
})
