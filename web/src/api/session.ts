/** Signing in and out, and what the person at this browser may do. */
import { client, data, type Schemas } from './call'

export type LoginAnswer = Schemas['LoginAnswer']
export type Me = Schemas['MeView']
export type Permission = Me['permissions'][number]
export type Role = Schemas['PersonView']['role']

export function logIn(username: string, password: string): Promise<LoginAnswer> {
  return data(client.POST('/api/admin/login', { body: { username, password } }))
}

/** Ends this session, or all of this person's, on the server and takes the browser's cookie away. */
export function logOut(everywhere = false): Promise<Schemas['SignedOut']> {
  return data(client.POST('/api/admin/logout', { body: everywhere ? { everywhere } : {} }))
}

export function getMe(signal?: AbortSignal): Promise<Me> {
  return data(client.GET('/api/admin/me', { signal }))
}

export function changePassword(old_password: string, new_password: string) {
  return data(client.POST('/api/admin/change-password', { body: { old_password, new_password } }))
}

export function getPermissions(signal?: AbortSignal): Promise<Schemas['PermissionsView']> {
  return data(client.GET('/api/admin/permissions', { signal }))
}
