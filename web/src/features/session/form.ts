import * as z from 'zod/mini'
import type { TextKey } from '@/i18n'

// Validators compiled at run time would need `unsafe-eval`.
z.config({ jitless: true })

export function signInForm(t: (key: TextKey) => string) {
  return z.object({
    username: z.string().check(z.trim(), z.minLength(1, t('session.usernameMissing'))),
    password: z.string().check(z.minLength(1, t('session.passwordMissing'))),
  })
}
