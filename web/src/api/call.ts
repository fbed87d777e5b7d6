/** Sends typed calls and turns every way in which one can fail into a `Problem`. The modules beside it know the paths. */
import createClient from 'openapi-fetch'
import { session } from '@/session'
import { Problem, problemFrom } from './problem'
import type { components, paths } from './schema'
import { createTransport } from './transport'

export type Schemas = components['schemas']

export interface Page<Item> {
  items: Item[]
  total: number
  total_is_capped?: boolean
  /** Null or absent on the last page. */
  next_cursor?: string | null
}

/** What every list takes; filters go by their own names. */
export interface PageRequest {
  limit: number
  cursor?: string
  q?: string
  sort?: string
}

const send = createTransport(session)

export const client = createClient<paths>({ baseUrl: window.location.origin, fetch: send })

/** The version that a person has seen: the server refuses (412) to change another one. */
export function seen(version: number): { 'If-Match': string } {
  return { 'If-Match': `"${version}"` }
}

/** The same key and body have the same answer: a form that is sent again after a lost answer makes nothing twice. */
export function once(key: string): { 'Idempotency-Key': string } {
  return { 'Idempotency-Key': key }
}

/** A list's query. Which fields it can be sorted by is the list's own rule (`ListRules`), not the type's. */
export function asked<Query extends { sort?: string }>(query: Query) {
  return query as Omit<Query, 'sort'> & { sort?: never }
}

/** A body as the client's types want it: they drop every key that may only be null, which our document has. */
export function sent<Body>(body: Body) {
  return body as never
}

interface Answer<Data> {
  data?: { data: Data } | string | undefined
  error?: unknown
  response: Response
}

/** The `data` of an answer. @throws {Problem} */
export async function data<Data>(call: Promise<Answer<Data>>): Promise<Data> {
  const answer = await reached(call)
  if (!answer.response.ok) throw problemFrom(answer.response, answer.error)
  if (typeof answer.data !== 'object') throw new Problem('unreadable', answer.response.status, '', answer.response.headers.get('x-request-id'))
  return answer.data.data
}

/** The body of a file as it comes. @throws {Problem} */
export async function file(path: string, query: Record<string, string>, signal: AbortSignal): Promise<Response> {
  const address = `${window.location.origin}${path}?${new URLSearchParams(query)}`
  const response = await reached(send(new Request(address, { signal })))
  if (!response.ok) throw problemFrom(response, await response.json().catch(() => null))
  return response
}

async function reached<Outcome>(call: Promise<Outcome>): Promise<Outcome> {
  try {
    return await call
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    const code = cause instanceof SyntaxError ? 'unreadable' : 'network'
    throw new Problem(code, 0, cause instanceof Error ? cause.message : '', null, null, [], { cause })
  }
}
