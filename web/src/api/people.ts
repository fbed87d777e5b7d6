import { asked, client, data, once, seen, type Page, type PageRequest, type Schemas } from './call'

export type User = Schemas['UserView']
export type NewUser = Schemas['NewUser']
export type UserChange = Schemas['UserChange']
export type SignInSession = Schemas['SessionView']

export function listUsers(query: PageRequest, signal?: AbortSignal): Promise<Page<User>> {
  return data(client.GET('/api/admin/users', { params: { query: asked(query) }, signal }))
}

export function getUser(id: string, signal?: AbortSignal): Promise<User> {
  return data(client.GET('/api/admin/users/{id}', { params: { path: { id } }, signal }))
}

export function addUser(body: NewUser, key: string): Promise<User> {
  return data(client.POST('/api/admin/users', { body, params: { header: once(key) } }))
}

export function updateUser(id: string, version: number, body: UserChange): Promise<User> {
  return data(client.PUT('/api/admin/users/{id}', { body, params: { path: { id }, header: seen(version) } }))
}

export function deleteUser(id: string, version: number) {
  return data(client.DELETE('/api/admin/users/{id}', { params: { path: { id }, header: seen(version) } }))
}

/** Without a password the server makes one and shows it once. */
export function resetPassword(id: string, password?: string): Promise<Schemas['ResetView']> {
  return data(client.POST('/api/admin/users/{id}/reset-password', { body: password === undefined ? {} : { password }, params: { path: { id } } }))
}

export function listSessions(userId: string, query: PageRequest, signal?: AbortSignal): Promise<Page<SignInSession>> {
  return data(client.GET('/api/admin/users/{id}/sessions', { params: { path: { id: userId }, query: asked(query) }, signal }))
}

export function endSession(id: string) {
  return data(client.DELETE('/api/admin/users/sessions/{id}', { params: { path: { id } } }))
}
