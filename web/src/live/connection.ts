/**
 * One WebSocket to the server's events. It signs in with the session's token, sends the next token before the last one
 * ends, comes back after a loss with growing pauses, and asks for what it missed.
 */
export interface LiveEvent {
  /** `api.allocated`, `capacity.warning`, … */
  event: string
  /** What it is about: `account:…`, `credential:…`. */
  key: string
  version: number
  cursor: string
  data: Record<string, unknown>
  timestamp: string
}

export type LinkState =
  | { is: 'off' }
  | { is: 'connecting' }
  | { is: 'live' }
  /** `until`: when it tries again, epoch milliseconds. `since`: when it was lost. */
  | { is: 'lost'; until: number; since: number }

/** The part of a WebSocket that is used, so that tests can play the server. */
export interface Socket {
  send(text: string): void
  close(): void
  onmessage: ((message: { data: unknown }) => void) | null
  onopen: (() => void) | null
  onclose: (() => void) | null
}

export interface LinkOptions {
  open: () => Socket
  token: () => string | null
  /** Brings a fresh token where the present one is about to end. */
  refresh: () => Promise<unknown>
  onState: (state: LinkState) => void
  onEvent: (event: LiveEvent) => void
  /** Too much was missed to be told one by one: whatever is shown may be old. */
  onGap: () => void
  now?: () => number
}

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000
/** The server pings every 30 s: after a longer silence the link is dead, whatever the socket believes. */
const SILENCE_MS = 70_000
const LOOK_MS = 5_000

export function createLink({ open, token, refresh, onState, onEvent, onGap, now = Date.now }: LinkOptions) {
  let socket: Socket | null = null
  let cursor: string | null = null
  let sentToken: string | null = null
  let failures = 0
  let lostSince: number | null = null
  let heardAt = 0
  let retry: ReturnType<typeof setTimeout> | undefined
  let watch: ReturnType<typeof setInterval> | undefined

  function start() {
    if (socket !== null || watch !== undefined) return
    watch = setInterval(look, LOOK_MS)
    connect()
  }

  function stop() {
    clearTimeout(retry)
    clearInterval(watch)
    watch = undefined
    leave()
    cursor = null
    failures = 0
    lostSince = null
    onState({ is: 'off' })
  }

  function connect() {
    clearTimeout(retry)
    if (lostSince === null) onState({ is: 'connecting' })
    const mine = (socket = open())
    heardAt = now()
    mine.onopen = () => authenticate()
    mine.onmessage = ({ data }) => socket === mine && hear(data)
    mine.onclose = () => socket === mine && lose()
  }

  function authenticate() {
    sentToken = token()
    if (sentToken === null) return
    say({ type: 'auth', token: sentToken, ...(cursor !== null && { since: cursor }) })
  }

  function hear(text: unknown) {
    heardAt = now()
    const message = parsed(text)
    switch (message?.type) {
      case 'ready':
        // Who comes late has no place to catch up from.
        if (cursor === null && lostSince !== null) onGap()
        cursor ??= String(message.cursor)
        failures = 0
        lostSince = null
        return onState({ is: 'live' })
      case 'event':
        cursor = String(message.cursor)
        return onEvent(message as unknown as LiveEvent)
      case 'lagged':
        cursor = String(message.cursor)
        return onGap()
      case 'ping':
        return say({ type: 'pong' })
    }
  }

  function lose() {
    leave()
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS)
    failures += 1
    lostSince ??= now()
    onState({ is: 'lost', until: now() + pause, since: lostSince })
    retry = setTimeout(() => void comeBack(), pause)
  }

  /** A token may have ended meanwhile; with an old one the server would only send us away again. */
  async function comeBack() {
    await refresh()
    if (watch !== undefined && socket === null && token() !== null) connect()
  }

  function look() {
    if (socket === null) return
    if (now() - heardAt > SILENCE_MS) return lose()
    const current = token()
    if (sentToken !== null && current !== null && current !== sentToken) {
      sentToken = current
      say({ type: 'auth', token: current })
    } else void refresh()
  }

  function leave() {
    const old = socket
    socket = null
    sentToken = null
    if (old === null) return
    old.onopen = old.onmessage = old.onclose = null
    old.close()
  }

  function say(message: object) {
    socket?.send(JSON.stringify(message))
  }

  return {
    start,
    stop,
    /** Does not wait for the pause to end. */
    tryNow: () => {
      clearTimeout(retry)
      if (watch !== undefined && socket === null) void comeBack()
    },
  }
}

function parsed(text: unknown): ({ type?: unknown } & Record<string, unknown>) | null {
  try {
    const value: unknown = JSON.parse(String(text))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
