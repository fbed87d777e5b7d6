import { expect, it } from 'vitest'
import { attributesOf, attributesText, pairsOf, repeatedKey } from './attributes'

it('comes back as it was when nobody has changed it', () => {
  const attributes = { region: 'eu', weight: 3, beta: true, nothing: null, list: [1, 'a'], text: '5' }
  expect(attributesOf(pairsOf(attributes))).toEqual(attributes)
})

it('takes a new line as text, and keeps the kind of one that was something else', () => {
  const [weight] = pairsOf({ weight: 3 })
  expect(attributesOf([{ ...weight!, text: '4' }, { key: ' tier ', text: '7' }])).toEqual({ weight: 4, tier: '7' })
  expect(attributesOf([{ ...weight!, text: 'heavy' }])).toEqual({ weight: 'heavy' })
})

it('leaves out lines without a key, and names one that stands twice', () => {
  expect(attributesOf([{ key: ' ', text: 'x' }])).toEqual({})
  expect(repeatedKey([{ key: 'a', text: '' }, { key: 'b', text: '' }, { key: 'a ', text: '' }])).toBe('a')
  expect(repeatedKey([{ key: '', text: '' }, { key: '', text: '' }])).toBeNull()
})

it('says the same of the same attributes in another order', () => {
  expect(attributesText({ b: 1, a: 'x' })).toBe('a: x, b: 1')
  expect(attributesText({ a: 'x', b: 1 })).toBe('a: x, b: 1')
})
