import * as z from 'zod/mini'
import type { TextKey } from '@/i18n'

// Validators compiled at run time would need `unsafe-eval`.
z.config({ jitless: true })

const LONGEST = 200

/** A reason that the journal keeps: one line of at most 200 characters. */
export function reasonForm(t: (key: TextKey, named?: Record<string, string | number>) => string) {
  return z.object({
    reason: z.string().check(
      z.refine((text) => text.trim() !== '', t('credentials.actions.reasonMissing')),
      z.refine((text) => [...text.trim()].length <= LONGEST, t('credentials.form.tooLong', { max: LONGEST })),
      z.refine((text) => /^[^\u0000-\u001f\u007f-\u009f]*$/.test(text.trim()), t('credentials.form.oneLine')),
    ),
  })
}
