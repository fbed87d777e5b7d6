import accounts from '@/features/accounts/texts/titles.zh-TW.json'
import credentials from '@/features/credentials/texts/titles.zh-TW.json'
import groups from '@/features/groups/texts/titles.zh-TW.json'
import history from '@/features/history/texts/titles.zh-TW.json'
import overview from '@/features/overview/texts/titles.zh-TW.json'
import rules from '@/features/rules/texts/titles.zh-TW.json'
import settings from '@/features/settings/texts/titles.zh-TW.json'
import type { messages as english } from './en'

/** What the frame says of every feature: titles, the sidebar, the command palette. */
export const messages: typeof english = { accounts, credentials, groups, history, overview, rules, settings }
