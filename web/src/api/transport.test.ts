import { describe, expect, it, vi } from 'vitest'
import type { Renewal, SignedIn } from '@/session/renewal'
import { createSession } from '@/session/session'
import { createTransport, OUR_MARK } from './transport'

const signedIn = (token: string, expiresAt = Date.now() + 900_000): SignedIn => ({
  token,
  expiresAt,
  user: { id: '1', username: 'ann', role: 'owner', tenant_id: 'default' },
})
const request = (body?: string) => new Request('http://pool.test/api', body === undefined ? {} : { method: 'POST', body })

function setup(renewal: Renewal, answer: (token: string | null) => number) {
  const session = createSession(renewal)
  const sent: { token: string | null; mark: string | null; body: string }[] = []
  const transport = createTransport(session, async (call) => {
    const token = call.headers.get('Authorization')?.replace('Bearer ', '') ?? null
    sent.push({ token, mark: call.headers.get('X-Requested-With'), body: await call.text() })
    return new Response(null, { status: answer(token) })
  })
  return { session, transport, sent }
}

const never: Renewal = () => Promise.resolve(null)

describe('transport', () => {
  it('marks every call as ours and sends no token for nobody', async () => {
    const { transport, sent } = setup(never, () => 200)
    await transport(request())
    expect(sent).toEqual([{ token: null, mark: OUR_MARK, body: '' }])
  })

  it('leaves a refusal of the sign-in itself to the caller', async () => {
    const renewal = vi.fn(never)
    const { transport, session } = setup(renewal, () => 401)
    expect((await transport(request('{}'))).status).toBe(401)
    expect(renewal).not.toHaveBeenCalled()
    expect(session.endedBecause.value).toBeNull()
  })

  it('ends the session when the token is refused and nothing renews it', async () => {
    const { transport, session, sent } = setup(never, () => 401)
    session.begin(signedIn('old'))
    expect((await transport(request())).status).toBe(401)
    expect(session.endedBecause.value).toBe('expired')
    expect(sent).toHaveLength(1)
  })

  it('keeps the session when the server can’t be asked for the next token', async () => {
    const { transport, session, sent } = setup(
      () => Promise.reject(new Error('down')),
      () => 401,
    )
    session.begin(signedIn('old'))
    await expect(transport(request())).rejects.toThrow(TypeError)
    expect(session.token()).toBe('old')
    expect(sent).toHaveLength(1)
  })

  it('renews a refused token and sends the same body once more', async () => {
    const { transport, session, sent } = setup(
      () => Promise.resolve(signedIn('new')),
      (token) => (token === 'new' ? 200 : 401),
    )
    session.begin(signedIn('old'))
    expect((await transport(request('{"a":1}'))).status).toBe(200)
    expect(sent.map(({ token, body }) => [token, body])).toEqual([
      ['old', '{"a":1}'],
      ['new', '{"a":1}'],
    ])
  })

  it('renews before it sends a token that is about to end', async () => {
    const { transport, session, sent } = setup(
      () => Promise.resolve(signedIn('new')),
      () => 200,
    )
    session.begin(signedIn('old', Date.now() + 1_000))
    await transport(request())
    expect(sent.map(({ token }) => token)).toEqual(['new'])
  })

  it('does not end a session that began while an old call was under way', async () => {
    const { transport, session, sent } = setup(never, (token) => {
      if (token === 'old') session.begin(signedIn('other'))
      return token === 'old' ? 401 : 200
    })
    session.begin(signedIn('old'))
    expect((await transport(request())).status).toBe(200)
    expect(session.token()).toBe('other')
    expect(sent.map(({ token }) => token)).toEqual(['old', 'other'])
  })
})
