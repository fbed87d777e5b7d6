import { expect, it } from 'vitest'
import { allocateCommand } from './curl'

it('the command pins the api_id and holds no secret', () => {
  expect(allocateCommand('20100347')).toBe(
    `curl -s "$SVC/api/admin/api-pool/allocate" \\\n  -H "X-Service-Token: $TOKEN" \\\n  --json '{"account_id": "ACCOUNT", "api_id": "20100347"}'`,
  )
})
