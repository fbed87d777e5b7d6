import { expect, it } from 'vitest'
import { inOrder, moved, newPriorities, type Placed } from './reorder'

const rules = (...places: [id: string, priority: number][]): Placed[] => places.map(([id, priority]) => ({ id, priority }))
const ids = (placed: readonly Placed[]) => placed.map(({ id }) => id).join('')

function after(before: readonly Placed[], from: number, to: number) {
  const wanted = moved(before, from, to)
  const changes = newPriorities(wanted, before[from]?.id ?? '')
  const changed = before.map((rule) => changes.find(({ id }) => id === rule.id) ?? rule)
  expect(ids(inOrder(changed))).toBe(ids(wanted))
  expect(changes.every(({ priority }) => Number.isInteger(priority) && Math.abs(priority) <= 1_000_000)).toBe(true)
  return changes
}

it('changes one rule where there is room', () => {
  const before = rules(['a', 30], ['b', 20], ['c', 10])
  expect(after(before, 2, 1)).toEqual([{ id: 'c', priority: 25 }])
  expect(after(before, 2, 0)).toEqual([{ id: 'c', priority: 40 }])
  expect(after(before, 0, 2)).toEqual([{ id: 'a', priority: 0 }])
})

it('uses the order of age where priorities are equal', () => {
  const before = rules(['a', 0], ['b', 0], ['c', 0])
  expect(after(before, 0, 0)).toEqual([])
  expect(after(before, 2, 0)).toEqual([{ id: 'c', priority: 10 }])
  expect(after(before, 0, 2)).toEqual([{ id: 'a', priority: -10 }])
  // Between two that are equal there is no room for the youngest: the one that it goes before moves instead.
  expect(after(before, 2, 1)).toEqual([{ id: 'b', priority: -10 }])
})

it('stays within the limits', () => {
  const before = rules(['a', 1_000_000], ['b', 1_000_000], ['c', -1_000_000])
  expect(after(before, 2, 0).length).toBeLessThanOrEqual(3)
  after(before, 0, 2)
  after(before, 1, 0)
})

/** Whether the others can be put between these, which keep their priorities: each as high as it may be. */
function fits(wanted: readonly Placed[], kept: ReadonlySet<string>): boolean {
  let highest = 1_000_000
  return wanted.every(({ id, priority }, index) => {
    if (index > 0 && (wanted[index - 1]?.id ?? '') > id) highest -= 1
    if (kept.has(id)) {
      if (priority > highest) return false
      highest = priority
    }
    return highest >= -1_000_000
  })
}

function fewest(wanted: readonly Placed[]): number {
  const sets = Array.from({ length: 2 ** wanted.length }, (_, mask) => new Set(wanted.filter((_rule, index) => (mask >> index) & 1).map(({ id }) => id)))
  return Math.min(...sets.filter((kept) => fits(wanted, kept)).map((kept) => wanted.length - kept.size))
}

it('reaches any order, and changes as few rules as can be', () => {
  let seed = 7
  const random = (below: number) => (seed = (seed * 16_807) % 2_147_483_647) % below
  for (let round = 0; round < 300; round += 1) {
    const count = 2 + random(6)
    const [spread, base] = ([[1, 0], [3, 0], [40, 0], [4, 999_997], [4, -1_000_000]] as const)[random(5)] ?? [1, 0]
    const before = inOrder(Array.from({ length: count }, (_, index) => ({ id: String.fromCharCode(97 + index), priority: base + random(spread) })))
    const [from, to] = [random(count), random(count)]
    expect(after(before, from, to)).toHaveLength(fewest(moved(before, from, to)))
  }
})

it('does so for as many rules as there may be', () => {
  const before = inOrder(Array.from({ length: 1_000 }, (_, index) => ({ id: String(index).padStart(4, '0'), priority: 0 })))
  expect(after(before, 999, 500)).toHaveLength(499)
})
