import * as z from 'zod/mini'
import type { Credential, CredentialChange, MemberLevel, NewCredential } from '@/api/credentials'
import type { TextKey } from '@/i18n'

// Validators compiled at run time would need `unsafe-eval`.
z.config({ jitless: true })

/** A credential as a form holds it: numbers as they are typed, secrets only when they are new. */
export interface FormValues extends Record<string, unknown> {
  api_id: string
  api_hash: string
  name: string
  max_accounts: string
  /** Empty: in no group. */
  group_id: string
  priority: string
  is_premium: boolean
  min_member_level: MemberLevel
  tags: string[]
  source_phone: string
  /** Takes the stored number away; only where there is one. */
  forgetPhone: boolean
  note: string
}

export type Field = keyof CredentialChange

export const FIELD_LABELS: Record<Field | 'api_id', TextKey> = {
  api_id: 'credentials.form.field.api_id',
  api_hash: 'credentials.form.field.api_hash',
  name: 'credentials.form.field.name',
  max_accounts: 'credentials.form.field.max_accounts',
  group_id: 'credentials.form.field.group_id',
  priority: 'credentials.form.field.priority',
  is_premium: 'credentials.form.field.is_premium',
  min_member_level: 'credentials.form.field.min_member_level',
  tags: 'credentials.form.field.tags',
  source_phone: 'credentials.form.field.source_phone',
  note: 'credentials.form.field.note',
}

/** What the server takes, as its document says; a test compares. */
export const LIMITS = { apiId: 2_147_483_647, hash: 256, name: 200, slots: 100_000, priority: 1_000_000, tags: 50, tag: 64, phone: 64, note: 4_000 } as const
export const PATTERNS = {
  hash: /^[!-)+-~]*$/,
  line: /^[^\u0000-\u001f\u007f-\u009f]*$/,
  lines: /^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$/,
} as const

export const emptyValues = (): FormValues => ({
  api_id: '',
  api_hash: '',
  name: '',
  max_accounts: '5',
  group_id: '',
  priority: '0',
  is_premium: false,
  min_member_level: 'free',
  tags: [],
  source_phone: '',
  forgetPhone: false,
  note: '',
})

export function valuesOf(credential: Credential): FormValues {
  return {
    ...emptyValues(),
    api_id: credential.api_id,
    name: credential.name,
    max_accounts: String(credential.max_accounts),
    group_id: credential.group_id ?? '',
    priority: String(credential.priority),
    is_premium: credential.is_premium,
    min_member_level: credential.min_member_level,
    tags: [...credential.tags],
    note: credential.note ?? '',
  }
}

type Say = (key: TextKey, named?: Record<string, string | number>) => string

export function credentialForm(t: Say, { isNew }: { isNew: boolean }) {
  const missing = t('credentials.form.missing')
  const whole = (from: number, to: number) =>
    z.refine<string>((text) => /^[+-]?\d+$/.test(text.trim()) && Number(text) >= from && Number(text) <= to, t('credentials.form.between', { from, to }))
  const filled = z.refine<string>((text) => text.trim() !== '', missing)
  const atMost = (max: number) => z.refine<string>((text) => [...text].length <= max, t('credentials.form.tooLong', { max }))
  const like = (pattern: RegExp, message: TextKey) => z.refine<string>((text) => pattern.test(text), t(message))

  return z.object({
    api_id: isNew ? z.string().check(whole(1, LIMITS.apiId)) : z.string(),
    api_hash: z.string().check(...(isNew ? [filled] : []), atMost(LIMITS.hash), like(PATTERNS.hash, 'credentials.form.hashSigns')),
    name: z.string().check(filled, atMost(LIMITS.name), like(PATTERNS.line, 'credentials.form.oneLine')),
    max_accounts: z.string().check(whole(1, LIMITS.slots)),
    priority: z.string().check(whole(-LIMITS.priority, LIMITS.priority)),
    tags: z.array(z.string()).check(
      z.refine((tags) => tags.length <= LIMITS.tags, t('credentials.form.tooManyTags', { max: LIMITS.tags })),
      z.refine((tags) => tags.every((tag) => tag.trim() !== '' && [...tag].length <= LIMITS.tag && PATTERNS.line.test(tag)), t('credentials.form.tagTooLong', { max: LIMITS.tag })),
    ),
    source_phone: z.string().check(atMost(LIMITS.phone), like(PATTERNS.line, 'credentials.form.oneLine')),
    note: z.string().check(atMost(LIMITS.note), like(PATTERNS.lines, 'credentials.form.noControls')),
  })
}

export function newCredential(values: FormValues): NewCredential {
  return {
    api_id: values.api_id.trim(),
    api_hash: values.api_hash.trim(),
    ...told(values),
    ...(values.source_phone.trim() !== '' && { source_phone: values.source_phone.trim() }),
  } as NewCredential
}

/** Only what differs from what the person saw; what is absent stays as it is on the server. */
export function changesOf(values: FormValues, seen: Credential): CredentialChange {
  const [mine, theirs] = [told(values), told(valuesOf(seen))]
  const changed = Object.entries(mine).filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(theirs[field as keyof typeof theirs]))
  return {
    ...Object.fromEntries(changed),
    ...(values.api_hash.trim() !== '' && { api_hash: values.api_hash.trim() }),
    ...(values.source_phone.trim() !== '' ? { source_phone: values.source_phone.trim() } : values.forgetPhone && { source_phone: null }),
  }
}

/** What takes these changes back; null where a secret was replaced, which nobody knows any more. */
export function takingBack(changes: CredentialChange, before: Credential): CredentialChange | null {
  if ('api_hash' in changes || 'source_phone' in changes) return null
  const was = told(valuesOf(before))
  return Object.fromEntries(Object.keys(changes).map((field) => [field, was[field as keyof typeof was]]))
}

function told(values: FormValues) {
  return {
    name: values.name.trim(),
    max_accounts: Number(values.max_accounts),
    group_id: values.group_id === '' ? null : values.group_id,
    priority: Number(values.priority),
    is_premium: values.is_premium,
    min_member_level: values.min_member_level,
    tags: values.tags,
    note: values.note.trim() === '' ? null : values.note,
  }
}
