import { useQueryClient } from '@tanstack/vue-query'
import { computed, ref, shallowRef, type Ref } from 'vue'
import { asProblem } from '@/api/problem'
import { updateRule, type Rule } from '@/api/rules'
import { useText } from '@/i18n'
import { noteOwnChange } from '@/lib/ownChanges'
import { useNotices } from '@/lib/useNotices'
import { moved, newPriorities, type Placed } from './reorder'

/**
 * Puts rules into another order by writing priorities, each for the version seen. The new order is shown while it is
 * written; when somebody else has changed one of the rules meanwhile, the newest order comes back.
 */
export function useOrder(rules: Readonly<Ref<readonly Rule[] | undefined>>) {
  const { t } = useText()
  const notices = useNotices()
  const queries = useQueryClient()
  const writing = ref(false)
  const wanted = shallowRef<readonly Rule[] | null>(null)
  /** For people who can't see that a rule has moved. */
  const told = ref('')

  async function write(changes: readonly Placed[], seen: ReadonlyMap<string, Rule>): Promise<Map<string, Rule>> {
    const after = new Map(seen)
    for (const { id, priority } of changes) after.set(id, await updateRule(id, after.get(id)?.version ?? 0, { priority }))
    return after
  }

  async function move(from: number, to: number) {
    const before = rules.value ?? []
    const rule = before[from]
    if (writing.value || rule === undefined || from === to || to < 0 || to >= before.length) return
    const order = moved(before, from, to)
    const changes = newPriorities(order, rule.id)
    const seen = new Map(before.map((one) => [one.id, one]))
    writing.value = true
    wanted.value = order
    told.value = t('rules.order.moved', { name: rule.name, place: to + 1, of: before.length })
    try {
      const after = await write(changes, seen)
      const back = changes.map(({ id }) => ({ id, priority: seen.get(id)?.priority ?? 0 }))
      notices.done(t('rules.order.done', { name: rule.name, n: changes.length }, changes.length), async () => {
        await write(back, after)
        void queries.invalidateQueries({ queryKey: ['rules'] })
      })
    } catch (error) {
      const isStale = asProblem(error).code === 'stale'
      told.value = isStale ? t('rules.order.stale') : ''
      if (isStale) notices.warn(t('rules.order.stale'))
      else notices.failed(error)
    } finally {
      noteOwnChange()
      await queries.invalidateQueries({ queryKey: ['rules'] })
      wanted.value = null
      writing.value = false
    }
  }

  return { move, writing, told, shown: computed(() => wanted.value ?? rules.value) }
}
