import { asked, client, data, once, type Page, type PageRequest, type Schemas } from './call'

export type ServiceToken = Schemas['TokenView']
export type NewToken = Schemas['NewToken']
export type TokenScope = NewToken['scopes'][number]
export type IssuedToken = Schemas['IssuedToken']

export function listTokens(query: PageRequest, signal?: AbortSignal): Promise<Page<ServiceToken>> {
  return data(client.GET('/api/admin/service-tokens', { params: { query: asked(query) }, signal }))
}

/** The token itself is in this answer and in no other. */
export function issueToken(body: NewToken, key: string): Promise<IssuedToken> {
  return data(client.POST('/api/admin/service-tokens', { body, params: { header: once(key) } }))
}

export function revokeToken(id: string) {
  return data(client.DELETE('/api/admin/service-tokens/{id}', { params: { path: { id } } }))
}
