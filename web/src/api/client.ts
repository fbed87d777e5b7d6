/**
 * The only module that knows the generated types' names and the paths. Features import from here, so a change of the
 * OpenAPI document is met in this file.
 */
import createClient from 'openapi-fetch'
import { session } from '@/session'
import { Problem, problemFrom } from './problem'
import type { components, paths } from './schema'
import { createTransport } from './transport'

type Schemas = components['schemas']
export type User = Schemas['PersonView']
export type LoginAnswer = Schemas['LoginAnswer']
export type Credential = Schemas['CredentialView']
export type CredentialStatus = Credential['status']
export type HealthGrade = Credential['health_grade']

export interface Page<Item> {
  items: Item[]
  total: number
  total_is_capped?: boolean
  /** Null or absent on the last page. */
  next_cursor?: string | null
}

export interface PageRequest {
  limit: number
  cursor?: string
  q?: string
  sort?: string
}

const client = createClient<paths>({ baseUrl: window.location.origin, fetch: createTransport(session) })

export function logIn(username: string, password: string): Promise<LoginAnswer> {
  return data(client.POST('/api/admin/login', { body: { username, password } }))
}

/** Ends the session on the server and takes the browser's cookie away. */
export async function logOut(): Promise<void> {
  await data(client.POST('/api/admin/logout', { body: {} }))
}

export function listCredentials(query: PageRequest, signal?: AbortSignal): Promise<Page<Credential>> {
  return data(client.GET('/api/admin/api-pool/', { params: { query }, signal }))
}

interface Answer<Data> {
  data?: { data: Data } | undefined
  error?: unknown
  response: Response
}

async function data<Data>(call: Promise<Answer<Data>>): Promise<Data> {
  let answer: Answer<Data>
  try {
    answer = await call
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    const code = cause instanceof SyntaxError ? 'unreadable' : 'network'
    throw new Problem(code, 0, cause instanceof Error ? cause.message : '', null, null, [], { cause })
  }
  if (!answer.response.ok) throw problemFrom(answer.response, answer.error)
  if (answer.data?.data === undefined) throw new Problem('unreadable', answer.response.status, '', answer.response.headers.get('x-request-id'))
  return answer.data.data
}
