import type { TokenScope } from '@/api/tokens'

const POOL = '/api/admin/api-pool'

/** A command that tries a token with what it may do, and changes nothing that matters. */
export function curlFor(origin: string, token: string, scopes: readonly TokenScope[]): string {
  const may = (scope: TokenScope) => scopes.includes(scope) || scopes.includes('credpool:*')
  const line = (...parts: string[]) => parts.join(' \\\n  ')
  const asToken = `-H 'X-Service-Token: ${token}'`
  const post = (path: string, body: string) => line(`curl -X POST ${origin}${POOL}${path}`, asToken, "-H 'Content-Type: application/json'", `-d '${body}'`)
  // A preview allocates nothing; releasing what nobody holds answers 404, which a wrong token would not see.
  if (may('credpool:allocate')) return post('/allocate/preview', '{"account_id": "test:1"}')
  if (may('credpool:account')) return line(`curl '${origin}${POOL}/account?account_id=test:1'`, asToken)
  if (may('credpool:report')) return post('/results', '{"results": []}')
  return post('/release', '{"account_id": "test:1"}')
}
