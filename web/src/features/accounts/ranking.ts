import type { Candidate } from '@/api/allocation'
import type { StrategyName } from '@/api/pool'

/**
 * The ranking as the server orders it: what a rule prefers, then premium, then priority, then the strategy, then the
 * share of slots taken, then the older id. The first part in which two differ decides between them.
 */
export const PARTS = ['rule', 'premium', 'priority', 'strategy', 'utilisation'] as const
export type Part = (typeof PARTS)[number]
/** `age`: they were alike in every part. */
export type Decider = Part | 'age'

export interface Ranked {
  id: string
  apiId: string
  name: string | null
  rank: number
  rule: string | null
  premium: boolean
  priority: number
  strategy: StrategyName | null
  /** What the strategy looked at, in its own unit; null for a credential that was never allocated. */
  merit: number | null
  /** As the server compares it: lower goes first. */
  key: number
  utilisation: number
}

/** What a strategy is told to have looked at, by its name. */
const CRITERIA: Readonly<Record<string, StrategyName>> = {
  utilisation: 'balanced',
  'success rate': 'success_rate',
  'recent failures': 'least_failures',
  'time since last allocated': 'round_robin',
  'health score': 'health',
}

const MILLION = 1_000_000

export function rankedOf({ id, api_id, name, rank, utilisation, parts }: Candidate): Ranked {
  const said = parts as Readonly<Record<string, unknown>>
  const key = Number(said.strategy_key ?? 0)
  const strategy = CRITERIA[String(said.strategy)] ?? null
  return {
    ...{ id, apiId: api_id, name, rank, utilisation, key, strategy },
    rule: typeof said.preferred_by === 'string' ? said.preferred_by : null,
    premium: said.premium === true,
    priority: Number(said.priority ?? 0),
    merit: meritOf(strategy, key),
  }
}

/** The server's keys are "lower is better", which turns scores round and counts rates in millionths. */
function meritOf(strategy: StrategyName | null, key: number): number | null {
  if (strategy === 'balanced') return key / MILLION
  if (strategy === 'success_rate') return -key / MILLION
  if (strategy === 'health') return -key
  if (strategy === 'round_robin') return key === 0 ? null : key
  return key
}

/** The first part in which one beats the next. */
export function decider(one: Ranked, next: Ranked): Decider {
  if (one.rule !== next.rule) return 'rule'
  if (one.premium !== next.premium) return 'premium'
  if (one.priority !== next.priority) return 'priority'
  if (one.key !== next.key) return 'strategy'
  return one.utilisation === next.utilisation ? 'age' : 'utilisation'
}

/**
 * The parts that are worth a column: those in which the shown ones differ, and always what the strategy looked at. With
 * `balanced` that is the share of slots, which then is told once.
 */
export function shownParts(ranking: readonly Ranked[]): { columns: Part[]; alike: Part[] } {
  const differ = (read: (one: Ranked) => unknown) => new Set(ranking.map(read)).size > 1
  const isBalanced = ranking[0]?.strategy === 'balanced'
  const columns = PARTS.filter((part) => {
    if (part === 'rule') return ranking.some(({ rule }) => rule !== null)
    if (part === 'premium') return differ(({ premium }) => premium)
    if (part === 'priority') return differ(({ priority }) => priority)
    return part === 'strategy' ? !isBalanced : true
  })
  return { columns, alike: PARTS.filter((part) => !columns.includes(part) && !(part === 'strategy' && isBalanced)) }
}

/** How long a bar of a part is, 0 to 1, on one scale for all that are shown. */
export function barOf(part: Part, one: Ranked, ranking: readonly Ranked[], now: number): number {
  const share = (value: number, most: number) => (most > 0 ? Math.min(1, Math.max(0, value / most)) : 0)
  const most = (read: (one: Ranked) => number) => Math.max(0, ...ranking.map(read))
  if (part === 'rule') return one.rule === null ? 0 : 1
  if (part === 'premium') return one.premium ? 1 : 0
  if (part === 'priority') return share(one.priority - Math.min(0, ...ranking.map(({ priority }) => priority)), most(({ priority }) => priority) - Math.min(0, ...ranking.map(({ priority }) => priority)))
  if (part === 'utilisation' || one.strategy === 'balanced') return share(one.utilisation, 1)
  if (one.strategy === 'success_rate') return share(one.merit ?? 0, 1)
  if (one.strategy === 'health') return share(one.merit ?? 0, 100)
  if (one.strategy === 'round_robin') {
    const rest = ({ merit }: Ranked) => (merit === null ? 0 : now - merit)
    return one.merit === null ? 1 : share(rest(one), most(rest))
  }
  return share(one.merit ?? 0, most(({ merit }) => merit ?? 0))
}

/** Whether a long bar is what wins. */
export function moreWins(part: Part, strategy: StrategyName | null): boolean {
  if (part === 'utilisation') return false
  return part !== 'strategy' || strategy === 'success_rate' || strategy === 'health' || strategy === 'round_robin'
}
