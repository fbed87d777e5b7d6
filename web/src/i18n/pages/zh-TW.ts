import accounts from '@/features/accounts/texts/zh-TW.json'
import credentials from '@/features/credentials/texts/zh-TW.json'
import groups from '@/features/groups/texts/zh-TW.json'
import history from '@/features/history/texts/zh-TW.json'
import overview from '@/features/overview/texts/zh-TW.json'
import rules from '@/features/rules/texts/zh-TW.json'
import settings from '@/features/settings/texts/zh-TW.json'
import type { Messages } from '..'

/** What the pages behind the door need. */
export const messages: Omit<Messages, 'common' | 'session'> = { accounts, credentials, groups, history, overview, rules, settings }
