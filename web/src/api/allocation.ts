import { asked, client, data, once, type Page, type PageRequest, type Schemas } from './call'
import type { operations } from './schema'

export type AllocateRequest = Schemas['AllocateRequest']
export type Allocation = Schemas['Allocation']
export type AllocationRecord = Schemas['AllocationView']
export type AccountState = Schemas['AccountView']
export type Preview = Schemas['PreviewView']
export type Candidate = Schemas['CandidateView']
export type AllocationQuery = Omit<NonNullable<operations['allocation_list']['parameters']['query']>, 'sort'>

export function allocate(body: AllocateRequest, key: string): Promise<Allocation> {
  return data(client.POST('/api/admin/api-pool/allocate', { body, params: { header: once(key) } }))
}

/** Which one it would be, and why. Changes nothing. */
export function previewAllocation(body: AllocateRequest, signal?: AbortSignal): Promise<Preview> {
  return data(client.POST('/api/admin/api-pool/allocate/preview', { body, signal }))
}

export function releaseAccount(account_id: string): Promise<Schemas['ReleasedView']> {
  return data(client.POST('/api/admin/api-pool/release', { body: { account_id } }))
}

export function renewLease(account_id: string, ttl_seconds: number): Promise<Schemas['RenewedView']> {
  return data(client.POST('/api/admin/api-pool/renew', { body: { account_id, ttl_seconds } }))
}

export function getAccount(account_id: string, signal?: AbortSignal): Promise<AccountState | null> {
  return data(client.GET('/api/admin/api-pool/account', { params: { query: { account_id } }, signal }))
}

export function lookUpAccounts(account_ids: string[], signal?: AbortSignal): Promise<Schemas['LookupView']> {
  return data(client.POST('/api/admin/api-pool/accounts/lookup', { body: { account_ids }, signal }))
}

export function listAllocations(query: PageRequest & AllocationQuery, signal?: AbortSignal): Promise<Page<AllocationRecord>> {
  return data(client.GET('/api/admin/api-pool/allocations', { params: { query: asked(query) }, signal }))
}
