import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createRenewal, rememberSession } from './renewal'

const kept = vi.hoisted(() => new Map<string, string>())

vi.mock('@/lib/storage', () => ({
  readPreference: (name: string) => kept.get(name) ?? null,
  writePreference: (name: string, value: string) => void kept.set(name, value),
}))

beforeEach(() => kept.clear())

function answering(status: number, body: unknown = {}) {
  return vi.fn<typeof fetch>(() => Promise.resolve(new Response(JSON.stringify(body), { status })))
}

describe('renewal', () => {
  it('asks for nothing where nobody was signed in', async () => {
    const send = answering(200)
    expect(await createRenewal(send)()).toBeNull()
    expect(send).not.toHaveBeenCalled()
  })

  it('brings a fresh token, marked as one of our pages', async () => {
    rememberSession(true)
    const user = { id: '1', username: 'ann', role: 'owner', tenant_id: 'default' }
    const send = answering(200, { data: { token: 'fresh', expires_at: '2026-01-01T00:15:00.000Z', user } })
    expect(await createRenewal(send)()).toEqual({ token: 'fresh', expiresAt: Date.parse('2026-01-01T00:15:00Z'), user })
    expect(send).toHaveBeenCalledWith('/api/admin/refresh', expect.objectContaining({ method: 'POST', headers: { 'X-Requested-With': 'api-pool-web' } }))
    expect([...kept.values()].join()).not.toContain('fresh')
  })

  it('forgets a session that has ended, and asks no more', async () => {
    rememberSession(true)
    const send = answering(401)
    expect(await createRenewal(send)()).toBeNull()
    expect(await createRenewal(send)()).toBeNull()
    expect(send).toHaveBeenCalledTimes(1)
  })

  it('keeps a session that only could not be reached', async () => {
    rememberSession(true)
    await expect(createRenewal(answering(503))()).rejects.toThrow('503')
    expect(await createRenewal(answering(200, { data: { token: 't', expires_at: '2026-01-01T00:00:00Z', user: {} } }))()).not.toBeNull()
  })
})
