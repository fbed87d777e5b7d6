import { expect, it } from 'vitest'
import { curlFor } from './curl'

it.each([
  [['credpool:*'], '/allocate/preview'],
  [['credpool:report', 'credpool:allocate'], '/allocate/preview'],
  [['credpool:account'], '/account?account_id=test:1'],
  [['credpool:report'], '/results'],
  [['credpool:release'], '/release'],
] as const)('tries %s with what it may do', (scopes, path) => {
  const command = curlFor('https://pool.example', 'svc_x_1', scopes)
  expect(command).toContain(`https://pool.example/api/admin/api-pool${path}`)
  expect(command).toContain("-H 'X-Service-Token: svc_x_1'")
})
