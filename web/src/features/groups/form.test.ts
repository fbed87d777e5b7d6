import { expect, it } from 'vitest'
import type { Group } from '@/api/groups'
import { bodyOf, differing, groupForm, POOL_STRATEGY, valuesOf } from './form'

const GROUP: Group = {
  id: 'g1',
  name: 'Sign-in',
  description: null,
  color: '#0072B2',
  strategy: 'health',
  attributes: { region: 'eu' } as unknown as Group['attributes'],
  credentials: 3,
  created_at: '2027-01-01T00:00:00.000Z',
  updated_at: '2027-01-01T00:00:00.000Z',
  version: 4,
}
const said = (values: unknown) => groupForm((key, named) => [key, ...Object.values(named ?? {})].join(' ')).safeParse(values).error?.issues.map(({ message }) => message)

it('sends a group as it stands in the form', () => {
  expect(bodyOf(valuesOf(GROUP))).toEqual({ name: 'Sign-in', description: null, color: '#0072b2', strategy: 'health', attributes: { region: 'eu' } })
  expect(bodyOf({ ...valuesOf(null), name: ' New ' })).toEqual({ name: 'New', description: null, color: null, strategy: null, attributes: {} })
})

it('says what is missing and what stands twice', () => {
  expect(said(valuesOf(GROUP))).toBeUndefined()
  expect(said(valuesOf(null))).toEqual(['groups.form.nameMissing'])
  const twice = { ...valuesOf(GROUP), attributes: [{ key: 'a', text: '' }, { key: 'a', text: 'x' }] }
  expect(said(twice)).toEqual(['groups.form.attributeTwice a'])
})

it('names only the fields that differ', () => {
  expect(differing(GROUP, valuesOf(GROUP))).toEqual([])
  expect(differing(GROUP, { ...valuesOf(GROUP), description: 'For logins', strategy: POOL_STRATEGY })).toEqual([
    { field: 'description', theirs: '', mine: 'For logins' },
    { field: 'strategy', theirs: 'health', mine: '' },
  ])
})
