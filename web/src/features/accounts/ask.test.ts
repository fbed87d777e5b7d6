import { describe, expect, it } from 'vitest'
import { bodyOf, emptyAsk, faultsOf, isAccountKey, readAsk, writeAsk, type Ask } from './ask'

const full: Ask = { account: '+886 9:a/b', strategy: 'health', group: 'G', apiId: '12345', level: 'gold', fresh: true, ttl: 3600 }

describe('a request for a credential', () => {
  it('goes into an address and comes back', () => {
    expect(readAsk(writeAsk(full))).toEqual(full)
    expect(writeAsk(emptyAsk('a'))).toEqual({ account: 'a' })
    const params = new URLSearchParams(writeAsk(full))
    expect(readAsk(Object.fromEntries(new URLSearchParams(params.toString())))).toEqual(full)
  })

  it('takes from an address only what there is', () => {
    expect(readAsk({ account: [' a ', 'b'], strategy: 'luck', level: 'emperor', ttl: '-5', fresh: 'maybe', api_id: null })).toEqual(emptyAsk('a'))
  })

  it('says to the server what is said', () => {
    expect(bodyOf(emptyAsk('a'))).toEqual({ account_id: 'a' })
    expect(bodyOf(full)).toEqual({ account_id: '+886 9:a/b', strategy: 'health', group_id: 'G', api_id: '12345', member_level: 'gold', fresh: true, ttl_seconds: 3600 })
  })

  it('is looked at before it is sent', () => {
    expect(faultsOf(full)).toEqual({})
    expect(faultsOf(emptyAsk())).toEqual({ account: 'accounts.fault.missing' })
    expect(faultsOf({ ...emptyAsk('a'.repeat(129)), apiId: '0', ttl: 40_000_000 })).toEqual({
      account: 'accounts.fault.account',
      apiId: 'accounts.fault.apiId',
      ttl: 'accounts.fault.ttl',
    })
    expect(faultsOf({ ...full, apiId: '2147483648' })).toHaveProperty('apiId')
  })

  it('knows an account’s key by its bytes', () => {
    expect(['+8613800000001', 'chatx:9f', '帳號', 'x'.repeat(128)].map(isAccountKey)).toEqual([true, true, true, true])
    expect(['', '帳'.repeat(43), 'a\tb', 'a\u0000'].map(isAccountKey)).toEqual([false, false, false, false])
  })
})
