import { banCredential, disableCredential, enableCredential, resetFailures, unbanCredential, type Credential } from '@/api/credentials'
import type { TextKey } from '@/i18n'

export type Decision = 'disable' | 'unban' | 'reset'

interface Look {
  heading: TextKey
  /** What it will touch; `n` accounts are on it. */
  hint: TextKey
  submit: TextKey
  done: TextKey
  make: (id: string) => Promise<Credential>
  /** Null where it can't be taken back. `before`: as it was. */
  takeBack: (before: Credential) => (() => Promise<unknown>) | null
}

/** What needs a yes and nothing else. */
export const DECISIONS: Record<Decision, Look> = {
  disable: {
    heading: 'credentials.actions.disable.title',
    hint: 'credentials.actions.disable.hint',
    submit: 'credentials.actions.disable.submit',
    done: 'credentials.actions.disable.done',
    make: disableCredential,
    takeBack: ({ id }) => () => enableCredential(id),
  },
  unban: {
    heading: 'credentials.actions.unban.title',
    hint: 'credentials.actions.unban.hint',
    submit: 'credentials.actions.unban.submit',
    done: 'credentials.actions.unban.done',
    make: unbanCredential,
    takeBack: ({ id, ban_reason: reason }) => (reason === null || reason === '' ? null : () => banCredential(id, reason)),
  },
  reset: {
    heading: 'credentials.actions.reset.title',
    hint: 'credentials.actions.reset.hint',
    submit: 'credentials.actions.reset.submit',
    done: 'credentials.actions.reset.done',
    make: resetFailures,
    takeBack: () => null,
  },
}

/** Lifts a ban, and leaves it as it was before: switched off stays switched off. */
export async function liftBan({ id, status }: Credential): Promise<void> {
  await unbanCredential(id)
  if (status === 'disabled') await disableCredential(id)
}
