import { describe, expect, it, vi } from 'vitest'
import type { Renewal, SignedIn } from './renewal'
import { createSession } from './session'

const NOW = Date.parse('2025-11-22T12:00:00Z')

function signedIn(token: string, minutes = 15): SignedIn {
  return { token, expiresAt: NOW + minutes * 60_000, user: { id: '1', username: 'ann', role: 'owner', tenant_id: 'default' } }
}

function sessionWith(renewal: Renewal = () => Promise.resolve(null)) {
  return createSession(renewal, () => NOW)
}

describe('session', () => {
  it('starts with nobody signed in', () => {
    const session = sessionWith()
    expect(session.isSignedIn.value).toBe(false)
    expect(session.token()).toBeNull()
    expect(session.user.value).toBeNull()
    expect(session.isStale()).toBe(false)
  })

  it('knows who is signed in until the end, and why it ended', () => {
    const session = sessionWith()
    session.begin(signedIn('a'))
    expect(session.token()).toBe('a')
    expect(session.user.value?.username).toBe('ann')
    session.end('expired')
    expect(session.token()).toBeNull()
    expect(session.endedBecause.value).toBe('expired')
    session.begin(signedIn('b'))
    expect(session.endedBecause.value).toBeNull()
  })

  it('keeps the first reason when it is ended twice', () => {
    const session = sessionWith()
    session.begin(signedIn('a'))
    session.end('signed_out')
    session.end('expired')
    expect(session.endedBecause.value).toBe('signed_out')
  })

  it('is stale shortly before the token ends', () => {
    const session = sessionWith()
    session.begin(signedIn('a', 1))
    expect(session.isStale()).toBe(false)
    session.begin(signedIn('a', 0.5))
    expect(session.isStale()).toBe(true)
  })

  it('asks once for calls that come together', async () => {
    const renewal = vi.fn<Renewal>(() => Promise.resolve(signedIn('fresh')))
    const session = sessionWith(renewal)
    expect(await Promise.all([session.renew(), session.renew(), session.renew()])).toEqual([true, true, true])
    expect(renewal).toHaveBeenCalledTimes(1)
    expect(session.token()).toBe('fresh')
    await session.renew()
    expect(renewal).toHaveBeenCalledTimes(2)
  })

  it('stays as it was when the server can’t be asked', async () => {
    const session = sessionWith(() => Promise.reject(new Error('down')))
    session.begin(signedIn('a'))
    expect(await session.renew()).toBe(false)
    expect(session.token()).toBe('a')
  })

  it('ends when the server says no', async () => {
    const session = sessionWith()
    session.begin(signedIn('a'))
    expect(await session.renew()).toBe(false)
    expect(session.token()).toBeNull()
    expect(session.endedBecause.value).toBe('expired')
  })

  it('does not sign a person back in who left while the renewal was under way', async () => {
    let answer: (value: SignedIn) => void = () => {}
    const session = sessionWith(() => new Promise((resolve) => (answer = resolve)))
    session.begin(signedIn('a'))
    const renewed = session.renew()
    session.end('signed_out')
    answer(signedIn('late'))
    expect(await renewed).toBe(false)
    expect(session.isSignedIn.value).toBe(false)
  })
})
