import type { TextKey } from '@/i18n'
import type { Outcome } from './report'

/** How an outcome looks, before and after. */
export const OUTCOMES: Record<Outcome, { ahead: TextKey; done: TextKey; icon: string; color: string }> = {
  imported: { ahead: 'credentials.import.outcome.new', done: 'credentials.import.outcome.imported', icon: 'i-lucide-circle-plus', color: 'text-success' },
  duplicate: { ahead: 'credentials.import.outcome.duplicate', done: 'credentials.import.outcome.duplicate', icon: 'i-lucide-copy', color: 'text-muted' },
  rejected: { ahead: 'credentials.import.outcome.rejected', done: 'credentials.import.outcome.rejected', icon: 'i-lucide-circle-x', color: 'text-error' },
}
