import type { Page, PageRequest } from '@/api/call'
import { listRules, type Rule } from '@/api/rules'
import { allPages } from '@/lib/allPages'
import type { ListRules } from '@/lib/listState'
import { useList } from '@/lib/useList'
import type { ListPlace } from '@/lib/useListPlace'

/** As many as there may be: rules are put in order as a whole. */
export const MOST_RULES = 1_000

export const LIST_RULES: ListRules = { sortable: ['priority'], defaultSort: '-priority' }

export function useRuleList(place: ListPlace) {
  return useList<Rule>({ key: ['rules', 'list'], state: place.state, limit: MOST_RULES, ask: allRules })
}

async function allRules({ q }: PageRequest, signal: AbortSignal): Promise<Page<Rule>> {
  const items = await allPages((query) => listRules({ ...query, ...(q !== undefined && { q }) }, signal))
  return { items, total: items.length, next_cursor: null }
}
