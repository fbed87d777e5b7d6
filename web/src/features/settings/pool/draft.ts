import type { Setting, Settings, SettingsChange } from '@/api/settings'

/** What stands in the fields of a section: text by key; null is the default. */
export type Draft = Readonly<Record<string, string | null>>

/** The settings of a section as its fields show them. One that nobody has set shows as the default. */
export function draftOf(settings: readonly Setting[]): Record<string, string | null> {
  return Object.fromEntries(settings.map(({ key, value, source }) => [key, source === 'default' ? null : String(value)]))
}

/** What has to be sent so that the settings become what the fields show; locked ones stay. */
export function changesOf(settings: readonly Setting[], draft: Draft): SettingsChange {
  const before = draftOf(settings)
  const changed = settings.filter(({ key, locked }) => !locked && key in draft && draft[key] !== before[key])
  return Object.fromEntries(changed.map(({ key, kind }) => [key, valueOf(kind, draft[key] ?? null)])) as SettingsChange
}

export function hasChanges(change: SettingsChange): boolean {
  return Object.keys(change).length > 0
}

/** What the fields would have to say to get back to these settings. */
export function wayBack(before: readonly Setting[], change: SettingsChange): SettingsChange {
  const changed = before.filter(({ key }) => key in change)
  return Object.fromEntries(changed.map(({ key, value, source }) => [key, source === 'default' ? null : value])) as SettingsChange
}

/**
 * The settings in which what somebody else has saved meanwhile differs from what this person saw. Where only others
 * differ, both changes fit together.
 */
export function clashes(seen: readonly Setting[], newest: readonly Setting[], change: SettingsChange): Setting[] {
  const before = draftOf(seen)
  const now = draftOf(newest)
  return newest.filter(({ key }) => key in change && before[key] !== now[key])
}

export type Wrong = 'percent' | 'days' | 'order'

/** What is wrong with the fields, by key. The server has the last word. */
export function wrongIn(settings: readonly Setting[], draft: Draft): Record<string, Wrong> {
  const wrong: Record<string, Wrong> = {}
  for (const { key, kind } of settings) {
    const text = draft[key]
    if (text === null || text === undefined) continue
    if (kind === 'percent' && !isWithin(text, 0, 100, /^\d+(?:\.\d+)?$/)) wrong[key] = 'percent'
    if (kind === 'days' && !isWithin(text, 1, 36_500, /^\d+$/)) wrong[key] = 'days'
  }
  const [warning, critical] = ['capacity.warning_percent', 'capacity.critical_percent'].map((key) => effective(settings, draft, key))
  if (warning !== undefined && critical !== undefined && warning > critical) wrong['capacity.warning_percent'] ??= 'order'
  return wrong
}

function effective(settings: readonly Setting[], draft: Draft, key: string): number | undefined {
  const setting = settings.find((one) => one.key === key)
  return setting && Number(draft[key] ?? setting.default)
}

function isWithin(text: string, least: number, most: number, shape: RegExp): boolean {
  const trimmed = text.trim()
  return shape.test(trimmed) && Number(trimmed) >= least && Number(trimmed) <= most
}

function valueOf(kind: string, text: string | null): string | number | null {
  if (text === null) return null
  return kind === 'percent' || kind === 'days' ? Number(text) : text
}

/** The parts that are saved on their own. */
export function sectionOf(settings: Settings | undefined, prefix: string): readonly Setting[] {
  return settings?.settings.filter(({ key }) => key === prefix || key.startsWith(`${prefix}.`)) ?? []
}
