import * as z from 'zod/mini'
import type { Role } from '@/api/session'
import type { TextKey } from '@/i18n'
import { SHORTEST_PASSWORD } from './password'

// Validators compiled at run time would need `unsafe-eval`.
z.config({ jitless: true })

type Translate = (key: TextKey, named?: Record<string, number>) => string

export interface UserValues extends Record<string, unknown> {
  username: string
  role: Role
  password: string
}

function username(t: Translate) {
  return z.string().check(z.regex(/^[A-Za-z0-9._@+-]{1,64}$/, t('settings.users.form.usernameWrong')))
}

export function newPasswordRule(t: Translate) {
  return z.string().check(
    z.refine((text) => [...text].length >= SHORTEST_PASSWORD, t('settings.users.form.passwordShort', { n: SHORTEST_PASSWORD })),
    z.refine((text) => new TextEncoder().encode(text).length <= 1_024, t('settings.users.form.passwordLong')),
  )
}

export function addForm(t: Translate) {
  return z.object({ username: username(t), password: newPasswordRule(t) })
}

export function editForm(t: Translate) {
  return z.object({ username: username(t) })
}
