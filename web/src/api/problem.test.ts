import { describe, expect, it } from 'vitest'
import { asProblem, Problem, problemFrom, seconds } from './problem'

const response = (status: number, headers: Record<string, string> = {}) => new Response(null, { status, headers })

describe('problem', () => {
  it('reads a refusal of the server', () => {
    const problem = problemFrom(response(422, { 'X-Request-Id': 'r-1', 'Retry-After': '7' }), {
      title: 'Invalid',
      detail: 'limit is too large',
      error: { code: 'invalid_parameter', number: 2001, message: 'limit is too large', details: [{ field: 'limit', message: 'at most 500' }, 3] },
    })
    expect(problem).toMatchObject({
      code: 'invalid_parameter',
      status: 422,
      message: 'limit is too large',
      requestId: 'r-1',
      retryAfter: 7,
      details: [{ field: 'limit', message: 'at most 500' }],
    })
    expect(problem.isTransient).toBe(false)
  })

  it.each([undefined, null, '<h1>Bad Gateway</h1>', [], { error: 'no' }])('makes do with an answer that is not ours: %j', (body) => {
    const problem = problemFrom(response(502), body)
    expect(problem).toMatchObject({ code: 'unreadable', status: 502, requestId: null, details: [] })
    expect(problem.isTransient).toBe(true)
  })

  it('takes anything thrown', () => {
    const known = new Problem('internal', 500, '')
    expect(asProblem(known)).toBe(known)
    expect(asProblem(new TypeError('x')).code).toBe('unreadable')
    expect(asProblem('x').message).toBe('x')
  })

  it('reads Retry-After as seconds or date', () => {
    const now = Date.parse('2025-11-22T12:00:00Z')
    expect(seconds('30', now)).toBe(30)
    expect(seconds('-3', now)).toBe(0)
    expect(seconds('Sat, 22 Nov 2025 12:01:30 GMT', now)).toBe(90)
    expect(seconds('soon', now)).toBeNull()
    expect(seconds('', now)).toBeNull()
    expect(seconds(null, now)).toBeNull()
  })
})
