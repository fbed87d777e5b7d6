/** What orders rules: higher priority first, then the older one, which has the lower id. */
export interface Placed {
  id: string
  priority: number
}

const HIGHEST = 1_000_000
const STEP = 10

export function inOrder<Rule extends Placed>(rules: readonly Rule[]): Rule[] {
  return rules.toSorted((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1))
}

export function moved<Item>(items: readonly Item[], from: number, to: number): Item[] {
  const others = items.toSpliced(from, 1)
  return items[from] === undefined ? others : others.toSpliced(to, 0, items[from])
}

/**
 * The priorities that put rules into this order, for as few rules as possible: only those are answered. Of two ways that
 * are as short, the one that changes `movedId`.
 *
 * Going down, the priority has to fall wherever the next rule is older. `falls` counts these places, so that two rules
 * can both keep their priorities exactly when `priority + falls` doesn't rise between them: the rest then fits in.
 */
export function newPriorities(wanted: readonly Placed[], movedId: string): Placed[] {
  const falls: number[] = []
  wanted.forEach(({ id }, index) => falls.push(index === 0 ? 0 : (falls[index - 1] ?? 0) + ((wanted[index - 1]?.id ?? '') > id ? 1 : 0)))
  const last = falls.at(-1) ?? 0
  const keys = wanted.map(({ priority }, index) => priority + (falls[index] ?? 0))
  const kept = keptPlaces(keys, wanted.map(({ id }) => id === movedId), { highest: HIGHEST, lowest: last - HIGHEST })

  const result: Placed[] = []
  let above = -1
  for (const place of [...kept, wanted.length]) {
    result.push(...between(wanted, falls, above, place))
    above = place
  }
  return result.filter(({ id, priority }) => wanted.find((rule) => rule.id === id)?.priority !== priority)
}

/** The longest run of places whose keys don't rise. */
function keptPlaces(keys: readonly number[], isMoved: readonly boolean[], { highest, lowest }: { highest: number; lowest: number }): number[] {
  const best = keys.map(() => 0)
  const before = keys.map(() => -1)
  let end = -1
  for (const [index, key] of keys.entries()) {
    if (key > highest || key < lowest) continue
    for (let earlier = 0; earlier < index; earlier += 1) {
      if ((best[earlier] ?? 0) > (best[index] ?? 0) && (keys[earlier] ?? 0) >= key) [best[index], before[index]] = [best[earlier] ?? 0, earlier]
    }
    // Worth one each; the one that was moved a little less.
    best[index] = (best[index] ?? 0) + keys.length + (isMoved[index] === true ? 0 : 1)
    if (end === -1 || (best[index] ?? 0) > (best[end] ?? 0)) end = index
  }
  const places: number[] = []
  for (let place = end; place !== -1; place = before[place] ?? -1) places.unshift(place)
  return places
}

/** Priorities for the places between two that are kept: with room for more between them where there is any. */
function between(wanted: readonly Placed[], falls: readonly number[], above: number, below: number): Placed[] {
  const count = below - above - 1
  const at = (place: number) => wanted[place] as Placed
  if (count === 0) return []
  const top = above === -1 ? null : at(above).priority
  const bottom = below === wanted.length ? null : at(below).priority
  const from = top ?? Math.min(HIGHEST + 1, (bottom ?? 0) + STEP * (count + 1))
  const to = bottom ?? Math.max(-HIGHEST - 1, from - STEP * (count + 1))
  return Array.from({ length: count }, (_, index) => {
    const place = above + 1 + index
    const spread = from - Math.round(((from - to) * (index + 1)) / (count + 1))
    const tight = Math.min(from, HIGHEST) - ((falls[place] ?? 0) - (falls[Math.max(above, 0)] ?? 0))
    return { id: at(place).id, priority: from - to > count ? spread : tight }
  })
}
