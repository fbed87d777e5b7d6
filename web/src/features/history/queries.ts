import type { Page } from '@/api/call'
import { listAudit, listHistory } from '@/api/journal'
import { askedIn } from '@/lib/timeRange'
import { useList } from '@/lib/useList'
import type { ListPlace } from '@/lib/useListPlace'
import { fromAudit, fromHistory, PAGE_SIZE, type JournalRow } from './journal'

export function useHistoryList(place: ListPlace) {
  return useList({
    key: ['history', 'list'],
    state: place.state,
    limit: PAGE_SIZE,
    ask: async (query, signal) => rowsOf(await listHistory(askedIn(query, Date.now()), signal), fromHistory),
  })
}

export function useAuditList(place: ListPlace) {
  return useList({
    key: ['history', 'audit'],
    state: place.state,
    limit: PAGE_SIZE,
    ask: async (query, signal) => rowsOf(await listAudit(askedIn(query, Date.now()), signal), fromAudit),
  })
}

function rowsOf<Entry>(page: Page<Entry>, read: (entry: Entry) => JournalRow): Page<JournalRow> {
  return { ...page, items: page.items.map(read) }
}
