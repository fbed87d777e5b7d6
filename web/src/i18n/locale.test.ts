import { expect, it } from 'vitest'
import { pickLocale } from './locale'

it.each([
  ['zh-TW', ['en-US'], 'zh-TW'],
  [null, ['zh-TW', 'en'], 'zh-TW'],
  [null, ['zh-Hans-CN'], 'zh-TW'],
  [null, ['fr-FR', 'en-GB', 'zh-TW'], 'en'],
  [null, ['fr-FR'], 'en'],
  [null, [], 'en'],
  ['klingon', ['zh-HK'], 'zh-TW'],
  ['toString', ['en'], 'en'],
] as const)('remembered %j, preferred %j: %s', (remembered, preferred, locale) => {
  expect(pickLocale(remembered, preferred)).toBe(locale)
})
