import { asked, client, data, type Page, type PageRequest, type Schemas } from './call'
import type { operations } from './schema'

export type HistoryEntry = Schemas['HistoryView']
export type AuditEntry = Schemas['AuditView']
export type HistoryQuery = Omit<NonNullable<operations['history_history']['parameters']['query']>, 'sort'>
export type AuditQuery = Omit<NonNullable<operations['history_audit']['parameters']['query']>, 'sort'>

export function listHistory(query: PageRequest & HistoryQuery, signal?: AbortSignal): Promise<Page<HistoryEntry>> {
  return data(client.GET('/api/admin/api-pool/history', { params: { query: asked(query) }, signal }))
}

export function listAudit(query: PageRequest & AuditQuery, signal?: AbortSignal): Promise<Page<AuditEntry>> {
  return data(client.GET('/api/admin/audit-logs', { params: { query: asked(query) }, signal }))
}
