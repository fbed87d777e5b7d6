import { readFileSync } from 'node:fs'
import { LEVEL_NAMES } from '@/lib/levels'
import { describe, expect, it } from 'vitest'
import type { Credential } from '@/api/credentials'
import { differences, onlyTheirs } from './conflict'
import { changesOf, credentialForm, emptyValues, LIMITS, newCredential, PATTERNS, takingBack, valuesOf } from './fields'

const SEEN = {
  id: '01', api_id: '20100347', api_hash_masked: '01ab…cdef', name: 'Harbour 01', max_accounts: 5, group_id: '01G', priority: 0, is_premium: false,
  min_member_level: 'free', tags: ['a'], source_phone_masked: '+86•••0001', note: null, version: 3,
} as unknown as Credential
const said = (key: string, named?: Record<string, string | number>) => [key, ...Object.values(named ?? {})].join(' ')
const complaints = (values: object, isNew = true) =>
  credentialForm(said as never, { isNew }).safeParse({ ...emptyValues(), ...values }).error?.issues.map(({ path, message }) => `${String(path[0])}: ${message}`) ?? []
const FINE = { api_id: '20100347', api_hash: '0123456789abcdef0123456789abcdef', name: 'Harbour' }

describe('the form', () => {
  it('takes what the server takes', () => {
    expect(complaints(FINE)).toEqual([])
    expect(complaints({ ...FINE, priority: '-1000000', max_accounts: '100000', note: 'two\nlines', tags: ['海風'] })).toEqual([])
    expect(complaints({ name: 'Harbour' }, false)).toEqual([])
  })

  it('says what is wrong, field by field', () => {
    expect(complaints({})).toEqual([
      'api_id: credentials.form.between 1 2147483647',
      'api_hash: credentials.form.missing',
      'name: credentials.form.missing',
    ])
    expect(complaints({ ...FINE, api_id: '2147483648' })).toEqual(['api_id: credentials.form.between 1 2147483647'])
    expect(complaints({ ...FINE, api_hash: '01ab…cdef' })).toEqual(['api_hash: credentials.form.hashSigns'])
    expect(complaints({ ...FINE, max_accounts: '0', priority: '1.5' })).toHaveLength(2)
    expect(complaints({ ...FINE, name: '😀'.repeat(200) })).toEqual([])
    expect(complaints({ ...FINE, name: 'x'.repeat(201), note: 'a\u0000', tags: [' '] })).toHaveLength(3)
  })

  it('has the limits of the document', () => {
    const { schemas } = JSON.parse(readFileSync(new URL('../../../../openapi.json', import.meta.url), 'utf8')).components
    const { api_hash, max_accounts, min_member_level, name, note, priority, source_phone, tags } = schemas.NewCredential.properties
    expect(LIMITS).toMatchObject({
      hash: api_hash.maxLength, name: name.maxLength, slots: max_accounts.maximum, priority: priority.maximum,
      tags: tags.maxItems, tag: tags.items.maxLength, phone: source_phone.maxLength, note: note.maxLength,
    })
    const plain = (pattern: RegExp) => pattern.source
    expect([plain(PATTERNS.hash), plain(PATTERNS.line), plain(PATTERNS.lines)]).toEqual([api_hash.pattern, source_phone.pattern, note.pattern])
    expect(LEVEL_NAMES).toEqual(min_member_level.enum.filter(Boolean))
  })
})

describe('what is sent', () => {
  it('is a whole new credential, without what is empty', () => {
    expect(newCredential({ ...emptyValues(), ...FINE, name: ' Harbour ', priority: '2' })).toEqual({
      ...FINE, max_accounts: 5, group_id: null, priority: 2, is_premium: false, min_member_level: 'free', tags: [], note: null,
    })
    expect(newCredential({ ...emptyValues(), ...FINE, source_phone: '+8869' })).toMatchObject({ source_phone: '+8869' })
  })

  it('is only what was changed', () => {
    expect(changesOf(valuesOf(SEEN), SEEN)).toEqual({})
    expect(changesOf({ ...valuesOf(SEEN), name: 'Harbour 02', tags: ['a', 'b'], group_id: '' }, SEEN)).toEqual({ name: 'Harbour 02', tags: ['a', 'b'], group_id: null })
    expect(changesOf({ ...valuesOf(SEEN), api_hash: 'new' }, SEEN)).toEqual({ api_hash: 'new' })
    expect(changesOf({ ...valuesOf(SEEN), forgetPhone: true }, SEEN)).toEqual({ source_phone: null })
    expect(changesOf({ ...valuesOf(SEEN), forgetPhone: true, source_phone: '+8869' }, SEEN)).toEqual({ source_phone: '+8869' })
  })

  it('can be taken back unless a secret was replaced', () => {
    expect(takingBack({ name: 'x', group_id: null }, SEEN)).toEqual({ name: 'Harbour 01', group_id: '01G' })
    expect(takingBack({ name: 'x', api_hash: 'y' }, SEEN)).toBeNull()
    expect(takingBack({ source_phone: null }, SEEN)).toBeNull()
  })
})

describe('a conflict', () => {
  const newest = { ...SEEN, name: 'Theirs', priority: 9, version: 4 }
  const tell = (_: string, value: unknown) => String(value)

  it('shows my changes beside theirs, and what stays theirs anyway', () => {
    expect(differences({ name: 'Mine', max_accounts: 5 }, newest, tell)).toEqual([{ field: 'name', theirs: 'Theirs', mine: 'Mine' }])
    expect(onlyTheirs({ name: 'Mine' }, SEEN, newest)).toEqual(['priority'])
    expect(onlyTheirs({ name: 'Mine' }, SEEN, { ...newest, api_hash_masked: 'ffff…0000' })).toEqual(['priority', 'api_hash'])
  })
})
