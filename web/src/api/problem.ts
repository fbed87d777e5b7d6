/**
 * What went wrong with a call, in one shape: a refusal of the server (application/problem+json), an answer that is not
 * ours (a proxy's page), or no answer at all.
 */
export class Problem extends Error {
  override readonly name = 'Problem'

  constructor(
    /** The slug of the contract, or `network` and `unreadable` for what never reached it. */
    readonly code: string,
    readonly status: number,
    message: string,
    readonly requestId: string | null = null,
    /** Seconds to wait, when the server said so. */
    readonly retryAfter: number | null = null,
    readonly details: readonly FieldError[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options)
  }

  /** Worth trying again without anybody changing anything. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status === 502 || this.status === 503 || this.status === 504
  }
}

export interface FieldError {
  field: string
  message: string
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  return new Problem('unreadable', 0, error instanceof Error ? error.message : String(error), null, null, [], { cause: error })
}

export function problemFrom(response: Response, body: unknown): Problem {
  const error = field(body, 'error')
  return new Problem(
    text(field(error, 'code')) ?? 'unreadable',
    response.status,
    text(field(body, 'detail')) ?? text(field(error, 'message')) ?? text(field(body, 'title')) ?? '',
    response.headers.get('x-request-id') ?? text(field(field(body, 'meta'), 'request_id')),
    seconds(response.headers.get('retry-after')),
    fieldErrors(field(error, 'details')),
  )
}

/** `Retry-After` is a number of seconds or a date. */
export function seconds(header: string | null, now = Date.now()): number | null {
  if (header === null || header.trim() === '') return null
  const count = Number(header)
  if (Number.isFinite(count)) return Math.max(0, Math.ceil(count))
  const date = Date.parse(header)
  return Number.isNaN(date) ? null : Math.max(0, Math.ceil((date - now) / 1000))
}

function fieldErrors(value: unknown): FieldError[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((item: unknown) => {
    const [name, message] = [text(field(item, 'field')), text(field(item, 'message'))]
    return name !== null && message !== null ? [{ field: name, message }] : []
  })
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
