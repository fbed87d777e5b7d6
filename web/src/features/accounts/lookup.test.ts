import { expect, it } from 'vitest'
import { inOrder, LOOKUP_AT_MOST, readPasted } from './lookup'

it('reads accounts line by line, each once', () => {
  expect(readPasted(' +8861 \r\n\r\nchatx:9f, b\n+8861\t帳號\n')).toEqual({ keys: ['+8861', 'chatx:9f, b', '帳號'], unusable: 0, beyond: 0 })
  expect(readPasted('  \n ')).toEqual({ keys: [], unusable: 0, beyond: 0 })
})

it('tells what can’t be looked up', () => {
  const many = Array.from({ length: LOOKUP_AT_MOST + 3 }, (_, index) => `k${index}`)
  const read = readPasted([...many, 'x'.repeat(200)].join('\n'))
  expect([read.keys.length, read.unusable, read.beyond]).toEqual([LOOKUP_AT_MOST, 1, 3])
})

it('answers in the order of the question', () => {
  const held = { account_id: 'b' } as never
  expect(inOrder(['a', 'b'], [held])).toEqual([
    { id: 'a', held: null },
    { id: 'b', held },
  ])
})
