import type { BulkReach, BulkReport, BulkRequest, Credential } from '@/api/credentials'

/** What an action runs on: named rows, or what a filter finds. */
export type Target = { ids: readonly string[] } | { filter: Readonly<Record<string, string>> }

export type BulkAction =
  | { action: 'enable' | 'disable' | 'delete' }
  /** Null takes them out of any. */
  | { action: 'assign_group'; group_id: string | null }

export type BulkLine = BulkReport['results'][number]

/** The most ids that the server takes in one request. */
export const IDS_AT_ONCE = 500

/** The requests that ask what would be touched. */
export function dryRuns(target: Target, action: BulkAction): BulkRequest[] {
  return orders(target).map((order) => ({ ...action, ...order, dry_run: true }))
}

/** The requests that do it. A filter does nothing when it finds another number than the person was told. */
export function runs(target: Target, action: BulkAction, expected: number): BulkRequest[] {
  return orders(target).map((order) => ({ ...action, ...order, ...('filter' in order && { expected }) }))
}

export function summed(reaches: readonly BulkReach[]): BulkReach {
  const sum = (of: (reach: BulkReach) => number) => reaches.reduce((so, reach) => so + of(reach), 0)
  return {
    credentials: sum(({ credentials }) => credentials),
    accounts: sum(({ accounts }) => accounts),
    by_status: {
      available: sum(({ by_status }) => by_status.available),
      in_use: sum(({ by_status }) => by_status.in_use),
      disabled: sum(({ by_status }) => by_status.disabled),
      banned: sum(({ by_status }) => by_status.banned),
    },
  }
}

/** How many of what is touched an action changes, leaves as they are, and is refused for. */
export interface Effect {
  changes: number
  stays: number
  refused: number
}

/** What switching on or off comes to, by what each status allows. */
export function switching(action: 'enable' | 'disable', { available, in_use, disabled, banned }: BulkReach['by_status']): Effect {
  const enabled = available + in_use
  return action === 'enable' ? { changes: disabled, stays: enabled, refused: banned } : { changes: enabled, stays: disabled, refused: banned }
}

/** What would have to be done to be back where it was before: only for what has changed. */
export function undoing(action: BulkAction, before: ReadonlyMap<string, Credential>, lines: readonly BulkLine[]): BulkRequest[] {
  const changed = lines.filter(({ success }) => success).flatMap(({ id }) => before.get(id) ?? []).filter((row) => changes(action, row))
  if (action.action === 'delete') return []
  if (action.action !== 'assign_group') {
    const back = action.action === 'enable' ? 'disable' : 'enable'
    return inParts(changed.map(({ id }) => id)).map((ids) => ({ action: back, ids }))
  }
  const groups = new Map<string | null, string[]>()
  for (const { id, group_id } of changed) groups.set(group_id, [...(groups.get(group_id) ?? []), id])
  return [...groups].flatMap(([group_id, ids]) => inParts(ids).map((some) => ({ action: 'assign_group' as const, group_id, ids: some })))
}

/** Whether the action makes this credential another. */
function changes(action: BulkAction, { status, group_id }: Credential): boolean {
  if (action.action === 'assign_group') return action.group_id !== group_id
  if (action.action === 'enable') return status === 'disabled'
  return action.action === 'delete' || status === 'available' || status === 'in_use'
}

function orders(target: Target): (Pick<BulkRequest, 'ids'> | Pick<BulkRequest, 'filter'>)[] {
  return 'filter' in target ? [{ filter: target.filter }] : inParts(target.ids).map((ids) => ({ ids }))
}

export function inParts<Item>(items: readonly Item[], length = IDS_AT_ONCE): Item[][] {
  return Array.from({ length: Math.ceil(items.length / length) }, (_, part) => items.slice(part * length, (part + 1) * length))
}
