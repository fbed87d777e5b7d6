import { feature as accounts } from '@/features/accounts'
import { feature as credentials } from '@/features/credentials'
import { feature as groups } from '@/features/groups'
import { feature as history } from '@/features/history'
import { feature as overview } from '@/features/overview'
import { feature as rules } from '@/features/rules'
import { feature as settings } from '@/features/settings'
import type { Feature } from './feature'

/** What the pages are made of, in the order of the sidebar. */
export const FEATURES: readonly Feature[] = [overview, credentials, accounts, groups, rules, history, settings]
