import { asked, client, data, once, seen, type Page, type PageRequest, type Schemas } from './call'

export type Group = Schemas['GroupView']
export type NewGroup = Schemas['NewGroup']
export type GroupChange = Schemas['GroupChange']

export function listGroups(query: PageRequest, signal?: AbortSignal): Promise<Page<Group>> {
  return data(client.GET('/api/admin/api-pool/groups', { params: { query: asked(query) }, signal }))
}

export function getGroup(id: string, signal?: AbortSignal): Promise<Group> {
  return data(client.GET('/api/admin/api-pool/groups/{id}', { params: { path: { id } }, signal }))
}

export function addGroup(body: NewGroup, key: string): Promise<Group> {
  return data(client.POST('/api/admin/api-pool/groups', { body, params: { header: once(key) } }))
}

export function updateGroup(id: string, version: number, body: GroupChange): Promise<Group> {
  return data(client.PUT('/api/admin/api-pool/groups/{id}', { body, params: { path: { id }, header: seen(version) } }))
}

/** Its credentials stay, in no group. */
export function deleteGroup(id: string, version: number) {
  return data(client.DELETE('/api/admin/api-pool/groups/{id}', { params: { path: { id }, header: seen(version) } }))
}
