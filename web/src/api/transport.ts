import type { Session } from '@/session/session'

type Send = (request: Request) => Promise<Response>

/** Marks our own pages: the server answers them with cookies instead of refresh tokens, and foreign pages can't send it. */
export const OUR_MARK = 'api-pool-web'

/** Sends calls as the person who is signed in; when the server no longer takes the token, renews it once. */
export function createTransport(session: Session, send: Send = (request) => fetch(request)): Send {
  const sendAs = (request: Request, token: string | null) => {
    request.headers.set('X-Requested-With', OUR_MARK)
    if (token !== null) request.headers.set('Authorization', `Bearer ${token}`)
    return send(request)
  }

  return async (request) => {
    if (session.isStale()) await session.renew()
    const token = session.token()
    const again = request.clone()
    const response = await sendAs(request, token)
    if (response.status !== 401 || token === null) return response

    // Another call may have renewed, or somebody else signed in, while this one was under way.
    if (session.token() === token) await session.renew()
    if (session.token() === token) throw new TypeError('the session could not be renewed just now')
    return session.token() === null ? response : sendAs(again, session.token())
  }
}
