import accounts from '@/features/accounts/texts/titles.en.json'
import credentials from '@/features/credentials/texts/titles.en.json'
import groups from '@/features/groups/texts/titles.en.json'
import history from '@/features/history/texts/titles.en.json'
import overview from '@/features/overview/texts/titles.en.json'
import rules from '@/features/rules/texts/titles.en.json'
import settings from '@/features/settings/texts/titles.en.json'

/** What the frame says of every feature: titles, the sidebar, the command palette. */
export const messages = { accounts, credentials, groups, history, overview, rules, settings }
