import * as z from 'zod/mini'
import type { Group, NewGroup } from '@/api/groups'
import type { TextKey } from '@/i18n'
import { attributesOf, attributesText, pairsOf, repeatedKey, type Pair } from './attributes'

// Validators compiled at run time would need `unsafe-eval`.
z.config({ jitless: true })

/** Stands for the strategy of the pool: a choice can't be empty. */
export const POOL_STRATEGY = 'pool'

/** The series colours, which people with any sight can tell apart. */
export const COLORS: readonly { value: string; label: TextKey }[] = [
  { value: '#0072b2', label: 'groups.color.blue' },
  { value: '#56b4e9', label: 'groups.color.sky' },
  { value: '#009e73', label: 'groups.color.green' },
  { value: '#e69f00', label: 'groups.color.orange' },
  { value: '#d55e00', label: 'groups.color.vermilion' },
  { value: '#cc79a7', label: 'groups.color.pink' },
]

export interface GroupValues extends Record<string, unknown> {
  name: string
  description: string
  /** `#rrggbb`, or empty for none. */
  color: string
  strategy: string
  attributes: Pair[]
}

export function valuesOf(group: Group | null): GroupValues {
  return {
    name: group?.name ?? '',
    description: group?.description ?? '',
    color: group?.color?.toLowerCase() ?? '',
    strategy: group?.strategy ?? POOL_STRATEGY,
    attributes: pairsOf(group?.attributes ?? {}),
  }
}

export function groupForm(t: (key: TextKey, named?: Record<string, string>) => string) {
  return z.object({
    name: z.string().check(z.trim(), z.minLength(1, t('groups.form.nameMissing')), z.maxLength(200, t('groups.form.nameLong'))),
    description: z.string().check(z.maxLength(4_000, t('groups.form.descriptionLong'))),
    attributes: z.array(z.any()).check(
      z.check(({ value, issues }) => {
        const key = repeatedKey(value as Pair[])
        if (key !== null) issues.push({ code: 'custom', input: value, message: t('groups.form.attributeTwice', { key }) })
      }),
    ),
  })
}

/** All of it: "mine over theirs" then means what it says. */
export function bodyOf(values: GroupValues): NewGroup {
  return {
    name: values.name.trim(),
    description: values.description.trim() === '' ? null : values.description,
    color: values.color === '' ? null : values.color,
    strategy: values.strategy === POOL_STRATEGY ? null : (values.strategy as NewGroup['strategy']),
    attributes: attributesOf(values.attributes) as NewGroup['attributes'],
  }
}

export type GroupField = 'name' | 'description' | 'color' | 'strategy' | 'attributes'

/** What differs between what somebody else has saved and what stands in the form. */
export function differing(theirs: Group, values: GroupValues): { field: GroupField; theirs: string; mine: string }[] {
  const mine = bodyOf(values)
  const sides: [GroupField, string, string][] = [
    ['name', theirs.name, mine.name],
    ['description', theirs.description ?? '', mine.description ?? ''],
    ['color', theirs.color?.toLowerCase() ?? '', mine.color ?? ''],
    ['strategy', theirs.strategy ?? '', mine.strategy ?? ''],
    ['attributes', attributesText(theirs.attributes), attributesText(mine.attributes ?? {})],
  ]
  return sides.filter(([, a, b]) => a !== b).map(([field, a, b]) => ({ field, theirs: a, mine: b }))
}
