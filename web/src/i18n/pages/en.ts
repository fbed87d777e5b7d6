import accounts from '@/features/accounts/texts/en.json'
import credentials from '@/features/credentials/texts/en.json'
import groups from '@/features/groups/texts/en.json'
import history from '@/features/history/texts/en.json'
import overview from '@/features/overview/texts/en.json'
import rules from '@/features/rules/texts/en.json'
import settings from '@/features/settings/texts/en.json'

/** What the pages behind the door need. */
export const messages = { accounts, credentials, groups, history, overview, rules, settings }
