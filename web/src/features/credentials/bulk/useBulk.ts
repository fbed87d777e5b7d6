import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, ref, shallowRef } from 'vue'
import { bulkCredentials, type BulkReach, type Credential } from '@/api/credentials'
import { asProblem, Problem } from '@/api/problem'
import { useText } from '@/i18n'
import { useAction } from '@/lib/useAction'
import { before } from './before'
import { failuresOf, type Failure } from './failures'
import { dryRuns, runs, summed, undoing, type BulkAction, type BulkLine, type Target } from './target'

const TOUCHES = [['credentials'], ['groups']] as const

export interface Outcome {
  succeeded: number
  /** How many of them are another than before, where that is known. */
  changed: number
  failures: readonly Failure[]
  /** Why the rest was not tried. */
  problem: Problem | null
  undo: (() => Promise<void>) | null
}

/** An action on many credentials: what it would touch, that it is done, and the way back. */
export function useBulk(kind: BulkAction['action'], target: Target, rows: readonly Credential[]) {
  const { t } = useText()
  const queries = useQueryClient()
  /** Asked once and again only on purpose: what a person reads before they decide does not change under their eyes. */
  const once = { staleTime: Infinity, gcTime: 0 } as const

  const reaching = useQuery({
    queryKey: ['bulk', 'reach', kind, target],
    queryFn: async (): Promise<BulkReach> => {
      const asked = dryRuns(target, kind === 'assign_group' ? { action: kind, group_id: null } : { action: kind })
      return summed((await Promise.all(asked.map(bulkCredentials))).flatMap(({ would }) => would ?? []))
    },
    ...once,
  })
  const reach = computed(() => reaching.data.value)

  /** Only deleting asks for it this early: it leaves those that accounts hold. */
  const looking = useQuery({
    queryKey: ['bulk', 'before', target, reach],
    queryFn: () => before(target, rows, reach.value?.credentials ?? 0),
    enabled: () => kind === 'delete' && reach.value !== undefined,
    ...once,
  })
  const held = computed(() => {
    if (reach.value === undefined || looking.data.value === undefined) return null
    const { in_use, disabled, banned } = reach.value.by_status
    if (looking.data.value === null) return { count: in_use, isExact: disabled + banned === 0 }
    return { count: [...looking.data.value.values()].filter(({ current_accounts }) => current_accounts > 0).length, isExact: true }
  })

  const done = ref(0)
  const outcome = shallowRef<Outcome | null>(null)

  const { run, busy, problem, forget } = useAction(TOUCHES, async (action: BulkAction) => {
    const expected = reach.value?.credentials ?? 0
    const known = kind === 'delete' ? (looking.data.value ?? null) : await before(target, rows, expected)
    const lines: BulkLine[] = []
    let stopped: Problem | null = null
    for (const order of runs(target, action, expected)) {
      try {
        lines.push(...(await bulkCredentials(order)).results)
        done.value = lines.length
      } catch (error) {
        // What is done is done, and told.
        if (lines.length === 0) throw error
        stopped = asProblem(error)
        break
      }
    }
    const names = new Map([...rows.map((row) => [row.id, row] as const), ...(known ?? [])])
    const back = known === null ? [] : undoing(action, known, lines)
    const succeeded = lines.filter(({ success }) => success).length
    outcome.value = {
      succeeded,
      changed: known === null || kind === 'delete' ? succeeded : back.reduce((sum, { ids }) => sum + (ids?.length ?? 0), 0),
      failures: failuresOf(lines, names),
      problem: stopped,
      undo: back.length === 0 ? null : () => undo(back),
    }
    return outcome.value
  })

  async function undo(back: ReturnType<typeof undoing>) {
    try {
      let failed = 0
      for (const order of back) failed += (await bulkCredentials(order)).failed
      if (failed > 0) throw new Problem('conflict', 409, t('credentials.bulk.undoFailed', { n: failed }, failed))
    } finally {
      for (const queryKey of TOUCHES) void queries.invalidateQueries({ queryKey })
    }
  }

  async function lookAgain() {
    forget()
    await reaching.refetch()
    if (kind === 'delete' && reach.value !== undefined) await looking.refetch()
  }

  const lookProblem = computed(() => {
    const error = reaching.error.value ?? looking.error.value
    return error === null ? null : asProblem(error)
  })

  return {
    reach,
    held,
    isLooking: computed(() => reaching.isFetching.value || looking.isFetching.value),
    problem: computed(() => problem.value ?? lookProblem.value),
    lookAgain,
    run,
    busy,
    /** How many have been answered so far. */
    done,
    outcome,
  }
}

export type Bulk = ReturnType<typeof useBulk>
