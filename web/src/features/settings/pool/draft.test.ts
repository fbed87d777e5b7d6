import { expect, it } from 'vitest'
import type { Setting } from '@/api/settings'
import { changesOf, clashes, draftOf, hasChanges, sectionOf, wayBack, wrongIn } from './draft'

function setting(key: string, kind: string, value: unknown, other: Partial<Setting> = {}): Setting {
  return { key, kind, value, default: value, description: '', source: 'default', locked: false, updated_at: null, updated_by: null, ...other } as Setting
}
const SETTINGS = [
  setting('strategy', 'strategy', 'balanced'),
  setting('capacity.warning_percent', 'percent', 80),
  setting('capacity.critical_percent', 'percent', 90, { source: 'setting', default: 95 } as Partial<Setting>),
  setting('retention.jobs_days', 'days', 30, { source: 'environment', locked: true, default: 14 } as Partial<Setting>),
]

it('shows a default as no value of its own', () => {
  expect(draftOf(SETTINGS)).toEqual({ strategy: null, 'capacity.warning_percent': null, 'capacity.critical_percent': '90', 'retention.jobs_days': '30' })
})

it('sends only what was changed, as what it is, and nothing that is locked', () => {
  const draft = { ...draftOf(SETTINGS), strategy: 'health', 'capacity.warning_percent': '70.5', 'capacity.critical_percent': null, 'retention.jobs_days': '5' }
  expect(changesOf(SETTINGS, draft)).toEqual({ strategy: 'health', 'capacity.warning_percent': 70.5, 'capacity.critical_percent': null })
  expect(hasChanges(changesOf(SETTINGS, draftOf(SETTINGS)))).toBe(false)
})

it('sends a default that was chosen as a value, since it then stays when the default changes', () => {
  expect(changesOf(SETTINGS, { strategy: 'balanced' })).toEqual({ strategy: 'balanced' })
})

it('knows the way back', () => {
  const change = changesOf(SETTINGS, { ...draftOf(SETTINGS), strategy: 'health', 'capacity.critical_percent': null })
  expect(wayBack(SETTINGS, change)).toEqual({ strategy: null, 'capacity.critical_percent': 90 })
})

it('tells a clash from two changes that fit together', () => {
  const newest = SETTINGS.map((one) => (one.key === 'strategy' ? ({ ...one, value: 'health', source: 'setting' } as Setting) : one))
  expect(clashes(SETTINGS, newest, changesOf(SETTINGS, { 'capacity.warning_percent': '60' }))).toEqual([])
  expect(clashes(SETTINGS, newest, changesOf(SETTINGS, { strategy: 'round_robin' })).map(({ key }) => key)).toEqual(['strategy'])
})

it('says what is wrong', () => {
  const wrong = (draft: Record<string, string | null>) => wrongIn(SETTINGS, { ...draftOf(SETTINGS), ...draft })
  expect(wrong({})).toEqual({})
  expect(wrong({ 'capacity.warning_percent': '101' })).toEqual({ 'capacity.warning_percent': 'percent' })
  expect(wrong({ 'capacity.warning_percent': '' })).toEqual({ 'capacity.warning_percent': 'percent' })
  expect(wrong({ 'capacity.warning_percent': '92' })).toEqual({ 'capacity.warning_percent': 'order' })
  expect(wrong({ 'capacity.warning_percent': '92', 'capacity.critical_percent': null })).toEqual({})
  expect(wrong({ 'retention.jobs_days': '1.5' })).toEqual({ 'retention.jobs_days': 'days' })
})

it('finds the settings of a section', () => {
  expect(sectionOf({ settings: SETTINGS, version: 1 }, 'capacity')).toHaveLength(2)
  expect(sectionOf({ settings: SETTINGS, version: 1 }, 'strategy')).toHaveLength(1)
  expect(sectionOf(undefined, 'strategy')).toEqual([])
})
