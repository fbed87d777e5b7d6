import openapiTS, { astToString } from 'openapi-typescript'
import { expect, it } from 'vitest'
import { read } from './files'

it('the generated types are those of openapi.json (else: npm run generate)', async () => {
  const generated = astToString(await openapiTS(read('openapi.json')))
  expect(read('src/api/schema.d.ts').replace(/^\/\*\*[\s\S]*?\*\/\s*/, '').trim()).toBe(generated.trim())
})
