import type { TextKey } from '@/i18n'

export interface ActionLook {
  label: TextKey
  icon: string
  color: 'info' | 'success' | 'warning' | 'error' | 'neutral'
}

/** Everything that the journal knows to tell, by its name on the wire. */
export const ACTIONS: Readonly<Record<string, ActionLook>> = {
  'api.allocated': { label: 'history.action.api_allocated', icon: 'i-lucide-log-in', color: 'info' },
  'api.released': { label: 'history.action.api_released', icon: 'i-lucide-log-out', color: 'neutral' },
  'api.renewed': { label: 'history.action.api_renewed', icon: 'i-lucide-timer-reset', color: 'neutral' },
  'api.failed': { label: 'history.action.api_failed', icon: 'i-lucide-circle-alert', color: 'error' },
  'api.recovered': { label: 'history.action.api_recovered', icon: 'i-lucide-heart-pulse', color: 'success' },
  'api.flagged': { label: 'history.action.api_flagged', icon: 'i-lucide-flag', color: 'warning' },
  'api.cooled': { label: 'history.action.api_cooled', icon: 'i-lucide-snowflake', color: 'warning' },
  'api.disabled': { label: 'history.action.api_disabled', icon: 'i-lucide-circle-pause', color: 'neutral' },
  'api.enabled': { label: 'history.action.api_enabled', icon: 'i-lucide-circle-play', color: 'success' },
  'api.banned': { label: 'history.action.api_banned', icon: 'i-lucide-octagon-x', color: 'error' },
  'api.unbanned': { label: 'history.action.api_unbanned', icon: 'i-lucide-shield-check', color: 'success' },
  'api.added': { label: 'history.action.api_added', icon: 'i-lucide-plus', color: 'success' },
  'api.updated': { label: 'history.action.api_updated', icon: 'i-lucide-pencil', color: 'neutral' },
  'api.removed': { label: 'history.action.api_removed', icon: 'i-lucide-trash-2', color: 'error' },
  'api.failures_reset': { label: 'history.action.api_failures_reset', icon: 'i-lucide-eraser', color: 'neutral' },
  'api.revealed': { label: 'history.action.api_revealed', icon: 'i-lucide-eye', color: 'warning' },
  'api.exported': { label: 'history.action.api_exported', icon: 'i-lucide-download', color: 'warning' },
  'account.cooled': { label: 'history.action.account_cooled', icon: 'i-lucide-snowflake', color: 'warning' },
  'account.frozen': { label: 'history.action.account_frozen', icon: 'i-lucide-lock', color: 'error' },
  'account.retired': { label: 'history.action.account_retired', icon: 'i-lucide-archive', color: 'error' },
  'account.must_log_in': { label: 'history.action.account_must_log_in', icon: 'i-lucide-key-square', color: 'warning' },
  'client.misbehaved': { label: 'history.action.client_misbehaved', icon: 'i-lucide-bug', color: 'warning' },
  'batch.imported': { label: 'history.action.batch_imported', icon: 'i-lucide-file-up', color: 'success' },
  'batch.undone': { label: 'history.action.batch_undone', icon: 'i-lucide-undo-2', color: 'neutral' },
  'group.added': { label: 'history.action.group_added', icon: 'i-lucide-folder-plus', color: 'success' },
  'group.updated': { label: 'history.action.group_updated', icon: 'i-lucide-folder-pen', color: 'neutral' },
  'group.removed': { label: 'history.action.group_removed', icon: 'i-lucide-folder-x', color: 'error' },
  'rule.added': { label: 'history.action.rule_added', icon: 'i-lucide-scale', color: 'success' },
  'rule.updated': { label: 'history.action.rule_updated', icon: 'i-lucide-scale', color: 'neutral' },
  'rule.removed': { label: 'history.action.rule_removed', icon: 'i-lucide-scale', color: 'error' },
  'strategy.changed': { label: 'history.action.strategy_changed', icon: 'i-lucide-shuffle', color: 'neutral' },
  'settings.changed': { label: 'history.action.settings_changed', icon: 'i-lucide-settings', color: 'neutral' },
  'view.saved': { label: 'history.action.view_saved', icon: 'i-lucide-bookmark', color: 'neutral' },
  'view.removed': { label: 'history.action.view_removed', icon: 'i-lucide-bookmark-x', color: 'neutral' },
  'capacity.warning': { label: 'history.action.capacity_warning', icon: 'i-lucide-gauge', color: 'warning' },
  'capacity.critical': { label: 'history.action.capacity_critical', icon: 'i-lucide-gauge', color: 'error' },
  'capacity.restored': { label: 'history.action.capacity_restored', icon: 'i-lucide-gauge', color: 'success' },
  'user.added': { label: 'history.action.user_added', icon: 'i-lucide-user-plus', color: 'success' },
  'user.updated': { label: 'history.action.user_updated', icon: 'i-lucide-user-pen', color: 'neutral' },
  'user.removed': { label: 'history.action.user_removed', icon: 'i-lucide-user-minus', color: 'error' },
  'user.signed_in': { label: 'history.action.user_signed_in', icon: 'i-lucide-log-in', color: 'neutral' },
  'user.signed_out': { label: 'history.action.user_signed_out', icon: 'i-lucide-log-out', color: 'neutral' },
  'user.sign_in_failed': { label: 'history.action.user_sign_in_failed', icon: 'i-lucide-user-x', color: 'warning' },
  'user.locked': { label: 'history.action.user_locked', icon: 'i-lucide-lock', color: 'error' },
  'user.password_changed': { label: 'history.action.user_password_changed', icon: 'i-lucide-key-round', color: 'neutral' },
  'session.revoked': { label: 'history.action.session_revoked', icon: 'i-lucide-monitor-x', color: 'neutral' },
  'session.reused': { label: 'history.action.session_reused', icon: 'i-lucide-siren', color: 'error' },
  'access.denied': { label: 'history.action.access_denied', icon: 'i-lucide-ban', color: 'warning' },
  'token.issued': { label: 'history.action.token_issued', icon: 'i-lucide-ticket', color: 'success' },
  'token.revoked': { label: 'history.action.token_revoked', icon: 'i-lucide-ticket-x', color: 'neutral' },
  'job.parked': { label: 'history.action.job_parked', icon: 'i-lucide-circle-parking', color: 'error' },
  'journal.pruned': { label: 'history.action.journal_pruned', icon: 'i-lucide-scissors', color: 'neutral' },
}

const TINTS = { info: 'text-info', success: 'text-success', warning: 'text-warning', error: 'text-error', neutral: 'text-muted' } as const

/** How an action is shown; one that nobody knows yet is shown by its name. */
export function lookOf(action: string): { label: TextKey | null; icon: string; tint: string } {
  const look = ACTIONS[action]
  return look === undefined ? { label: null, icon: 'i-lucide-circle', tint: TINTS.neutral } : { label: look.label, icon: look.icon, tint: TINTS[look.color] }
}

/** What actions are about, by the beginning of their names, in the order of the menu. */
export const SUBJECTS: readonly { prefixes: readonly string[]; label: TextKey }[] = [
  { prefixes: ['api'], label: 'history.subject.api' },
  { prefixes: ['account', 'client'], label: 'history.subject.account' },
  { prefixes: ['batch'], label: 'history.subject.batch' },
  { prefixes: ['group', 'rule', 'strategy'], label: 'history.subject.choice' },
  { prefixes: ['capacity'], label: 'history.subject.capacity' },
  { prefixes: ['user', 'session', 'access'], label: 'history.subject.people' },
  { prefixes: ['token'], label: 'history.subject.token' },
  { prefixes: ['settings', 'view', 'job', 'journal'], label: 'history.subject.system' },
]

/** Those of the pool's own history, which people without the audit trail see too. */
export const POOL_ACTIONS = Object.keys(ACTIONS).filter((action) => /^(?:api|account|batch|capacity|group|rule|strategy)\./.test(action))

export const ALL_ACTIONS = Object.keys(ACTIONS)

/** Actions with what each is about, in the order of the subjects. */
export function bySubject(actions: readonly string[]): { action: string; subject: TextKey; look: ActionLook }[] {
  return SUBJECTS.flatMap(({ prefixes, label }) =>
    actions.flatMap((action) => {
      const look = ACTIONS[action]
      return look !== undefined && prefixes.includes(action.split('.')[0] ?? '') ? [{ action, subject: label, look }] : []
    }),
  )
}
