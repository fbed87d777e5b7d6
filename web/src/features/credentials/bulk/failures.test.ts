import { expect, it } from 'vitest'
import type { Credential } from '@/api/credentials'
import { failuresCsv, failuresOf } from './failures'

const known = new Map([['a', { id: 'a', api_id: '123', name: '=1+1' } as Credential]])
const lines = [
  { id: 'a', success: false, error: { code: 'conflict', number: 2004, message: 'banned, "still"' } },
  { id: 'b', success: true },
  { id: 'c', success: false, error: { code: 'not_found', number: 2002, message: 'gone' } },
]

it('failures have names as far as they are known', () => {
  expect(failuresOf(lines, known)).toEqual([
    { id: 'a', apiId: '123', name: '=1+1', reason: 'banned, "still"' },
    { id: 'c', apiId: null, name: null, reason: 'gone' },
  ])
})

it('the file of failures runs nothing in a spreadsheet', () => {
  expect(failuresCsv(failuresOf(lines, known))).toBe('id,api_id,name,reason\r\na,123,\'=1+1,"banned, ""still"""\r\nc,,,gone\r\n')
})
