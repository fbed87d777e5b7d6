import { asked, client, data, once, seen, sent, type Page, type PageRequest, type Schemas } from './call'
import type { operations } from './schema'

export type Credential = Schemas['CredentialView']
export type CredentialStatus = Credential['status']
export type HealthGrade = Credential['health_grade']
export type MemberLevel = Credential['min_member_level']
export type NewCredential = Schemas['NewCredential']
export type CredentialChange = Schemas['CredentialChange']
export type CredentialHealth = Schemas['CredentialHealthView']
export type ImportRequest = Schemas['ImportRequest']
export type ImportReport = Schemas['ImportView']
export type ImportLater = Schemas['ImportLater']
export type BulkReport = Schemas['BulkView']
export type BulkReach = Schemas['BulkReach']

/** The document's own type says the same as alternatives that no object literal fits. */
export interface BulkRequest {
  action: 'enable' | 'disable' | 'assign_group' | 'delete'
  /** These, or those that the list's parameters find. */
  ids?: readonly string[]
  filter?: Readonly<Record<string, string>>
  /** How many the filter finds: when it finds another number, nothing is done. */
  expected?: number
  /** For `assign_group`; null takes them out of any. */
  group_id?: string | null
  /** Only says what it would touch. */
  dry_run?: boolean
}

export type CredentialQuery = NonNullable<operations['credentials_list']['parameters']['query']>

export function listCredentials(query: PageRequest & CredentialQuery, signal?: AbortSignal): Promise<Page<Credential>> {
  return data(client.GET('/api/admin/api-pool/', { params: { query: asked(query) }, signal }))
}

export function getCredential(id: string, signal?: AbortSignal): Promise<Credential> {
  return data(client.GET('/api/admin/api-pool/{id}', { params: { path: { id } }, signal }))
}

export function getCredentialHealth(id: string, signal?: AbortSignal): Promise<CredentialHealth> {
  return data(client.GET('/api/admin/api-pool/{id}/health', { params: { path: { id } }, signal }))
}

export function addCredential(body: NewCredential, key: string): Promise<Credential> {
  return data(client.POST('/api/admin/api-pool/', { body, params: { header: once(key) } }))
}

export function updateCredential(id: string, version: number, body: CredentialChange): Promise<Credential> {
  return data(client.PUT('/api/admin/api-pool/{id}', { body, params: { path: { id }, header: seen(version) } }))
}

/** With `force` its accounts are released first; without, one that has accounts stays (409). */
export function deleteCredential(id: string, version: number, force: boolean) {
  return data(client.DELETE('/api/admin/api-pool/{id}', { params: { path: { id }, query: { force }, header: seen(version) } }))
}

export function enableCredential(id: string): Promise<Credential> {
  return data(client.POST('/api/admin/api-pool/{id}/enable', { body: {}, params: { path: { id } } }))
}

export function disableCredential(id: string): Promise<Credential> {
  return data(client.POST('/api/admin/api-pool/{id}/disable', { body: {}, params: { path: { id } } }))
}

export function banCredential(id: string, reason: string): Promise<Credential> {
  return data(client.POST('/api/admin/api-pool/{id}/ban', { body: { reason }, params: { path: { id } } }))
}

export function unbanCredential(id: string): Promise<Credential> {
  return data(client.POST('/api/admin/api-pool/{id}/unban', { body: {}, params: { path: { id } } }))
}

export function resetFailures(id: string): Promise<Credential> {
  return data(client.POST('/api/admin/api-pool/{id}/reset-failures', { body: {}, params: { path: { id } } }))
}

export function releaseAll(id: string): Promise<Schemas['ReleasedAll']> {
  return data(client.POST('/api/admin/api-pool/{id}/release-all', { body: {}, params: { path: { id } } }))
}

/** The plain secret. Each call is in the audit trail, with its reason. */
export function revealCredential(id: string, reason: string): Promise<Schemas['Revealed']> {
  return data(client.POST('/api/admin/api-pool/{id}/reveal', { body: { reason }, params: { path: { id } } }))
}

/** Small imports are answered line by line; large ones run as a job. */
export function importCredentials(body: ImportRequest, key?: string): Promise<ImportReport | ImportLater> {
  return data<ImportReport | ImportLater>(client.POST('/api/admin/api-pool/batch', { body: sent(body), params: { header: key === undefined ? {} : once(key) } }))
}

export function undoImport(id: string): Promise<Schemas['Undone']> {
  return data(client.POST('/api/admin/api-pool/batch/{id}/undo', { body: {}, params: { path: { id } } }))
}

export function bulkCredentials(body: BulkRequest): Promise<BulkReport> {
  return data(client.POST('/api/admin/api-pool/bulk', { body: sent(body) }))
}
