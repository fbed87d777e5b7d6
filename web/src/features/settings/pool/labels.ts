import type { Setting } from '@/api/settings'
import type { TextKey } from '@/i18n'

interface SettingText {
  label: TextKey
  hint: TextKey
}

/** What each setting says to people; the server describes them in English only. */
export const SETTING_TEXTS: Readonly<Record<string, SettingText>> = {
  strategy: { label: 'settings.pool.strategy.title', hint: 'settings.pool.strategy.hint' },
  'capacity.warning_percent': { label: 'settings.pool.warning.label', hint: 'settings.pool.warning.hint' },
  'capacity.critical_percent': { label: 'settings.pool.critical.label', hint: 'settings.pool.critical.hint' },
  'capacity.banned_percent': { label: 'settings.pool.banned.label', hint: 'settings.pool.banned.hint' },
  'retention.journal_days': { label: 'settings.pool.journal.label', hint: 'settings.pool.journal.hint' },
  'retention.results_days': { label: 'settings.pool.results.label', hint: 'settings.pool.results.hint' },
  'retention.jobs_days': { label: 'settings.pool.jobs.label', hint: 'settings.pool.jobs.hint' },
}

/** Settings that are saved together, by the beginning of their keys. */
export const SECTIONS: readonly { prefix: string; title: TextKey; hint: TextKey }[] = [
  { prefix: 'strategy', title: 'settings.pool.strategy.title', hint: 'settings.pool.strategy.hint' },
  { prefix: 'capacity', title: 'settings.pool.capacity.title', hint: 'settings.pool.capacity.hint' },
  { prefix: 'retention', title: 'settings.pool.retention.title', hint: 'settings.pool.retention.hint' },
]

export const LOCKS: Readonly<Partial<Record<Setting['source'], TextKey>>> = {
  file: 'settings.pool.locked.file',
  environment: 'settings.pool.locked.environment',
  command_line: 'settings.pool.locked.commandLine',
}
