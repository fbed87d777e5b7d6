import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLink, type LinkState, type LiveEvent, type Socket } from './connection'

/** The server's end of each socket that was opened. */
function world() {
  const sockets: (Socket & { said: Record<string, unknown>[]; closed: boolean })[] = []
  const states: LinkState[] = []
  const events: LiveEvent[] = []
  let gaps = 0
  let token: string | null = 'first'
  const link = createLink({
    open: () => {
      const socket = {
        said: [] as Record<string, unknown>[],
        closed: false,
        send: (text: string) => void socket.said.push(JSON.parse(text) as Record<string, unknown>),
        close: () => void (socket.closed = true),
        onmessage: null,
        onopen: null,
        onclose: null,
      }
      sockets.push(socket)
      return socket
    },
    token: () => token,
    refresh: async () => undefined,
    onState: (state) => states.push(state),
    onEvent: (event) => events.push(event),
    onGap: () => (gaps += 1),
  })
  const last = () => sockets.at(-1)!
  const tell = (message: object) => last().onmessage?.({ data: JSON.stringify(message) })
  return {
    link,
    sockets,
    events,
    last,
    tell,
    gaps: () => gaps,
    state: () => states.at(-1),
    become: (next: string | null) => (token = next),
    welcome: (cursor = '10') => {
      last().onopen?.()
      tell({ type: 'ready', cursor })
    },
  }
}

const event = (cursor: string) => ({ type: 'event', event: 'api.added', key: 'credential:C', version: 1, cursor, data: {}, timestamp: '' })

describe('the live link', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  it('says who is there, then tells events', () => {
    const { link, last, welcome, state, tell, events } = world()
    link.start()
    expect(state()).toEqual({ is: 'connecting' })
    welcome()
    expect(last().said).toEqual([{ type: 'auth', token: 'first' }])
    expect(state()).toEqual({ is: 'live' })
    tell(event('11'))
    expect(events.map(({ cursor }) => cursor)).toEqual(['11'])
    tell({ type: 'ping' })
    expect(last().said.at(-1)).toEqual({ type: 'pong' })
  })

  it('comes back after a loss with growing pauses, and asks for what it missed', async () => {
    const { link, sockets, last, welcome, tell, state } = world()
    link.start()
    welcome()
    tell(event('11'))
    last().onclose?.()
    expect(state()).toMatchObject({ is: 'lost', until: Date.now() + 1_000 })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(sockets).toHaveLength(2)
    last().onclose?.()
    expect(state()).toMatchObject({ is: 'lost', until: Date.now() + 2_000, since: Date.now() - 1_000 })
    await vi.advanceTimersByTimeAsync(2_000)
    welcome('20')
    expect(last().said).toEqual([{ type: 'auth', token: 'first', since: '11' }])
    expect(state()).toEqual({ is: 'live' })
    last().onclose?.()
    await vi.advanceTimersByTimeAsync(1_000)
    last().onopen?.()
    expect(last().said).toEqual([{ type: 'auth', token: 'first', since: '11' }])
  })

  it('says when too much was missed', () => {
    const { link, welcome, tell, gaps } = world()
    link.start()
    welcome()
    tell({ type: 'lagged', cursor: '99' })
    expect(gaps()).toBe(1)
  })

  it('says that it can’t tell what happened before its first welcome came late', async () => {
    const { link, last, welcome, gaps } = world()
    link.start()
    last().onclose?.()
    await vi.advanceTimersByTimeAsync(1_000)
    welcome()
    expect(gaps()).toBe(1)
    last().onclose?.()
    await vi.advanceTimersByTimeAsync(1_000)
    welcome()
    expect(gaps()).toBe(1)
  })

  it('sends the next token on the same link', async () => {
    const { link, sockets, last, welcome, become } = world()
    link.start()
    welcome()
    become('second')
    await vi.advanceTimersByTimeAsync(5_000)
    expect(last().said.at(-1)).toEqual({ type: 'auth', token: 'second' })
    expect(sockets).toHaveLength(1)
  })

  it('does not believe a link that is silent', async () => {
    const { link, sockets, last, welcome, state } = world()
    link.start()
    welcome()
    await vi.advanceTimersByTimeAsync(75_000)
    expect(sockets[0]?.closed).toBe(true)
    expect(state()?.is).toBe('lost')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(sockets).toHaveLength(2)
    expect(last().closed).toBe(false)
  })

  it('tries at once when told to, and ends for good when stopped', async () => {
    const { link, sockets, last, welcome, state, become } = world()
    link.start()
    welcome()
    last().onclose?.()
    link.tryNow()
    await vi.advanceTimersByTimeAsync(0)
    expect(sockets).toHaveLength(2)
    last().onclose?.()
    become(null)
    link.stop()
    await vi.advanceTimersByTimeAsync(120_000)
    expect(sockets).toHaveLength(2)
    expect(state()).toEqual({ is: 'off' })
  })
})
