import { useQueryClient } from '@tanstack/vue-query'
import { computed, nextTick, ref, shallowRef, type Ref } from 'vue'
import { asProblem } from '@/api/problem'
import { updateRule, type Rule } from '@/api/rules'
import { useText } from '@/i18n'
import { noteOwnChange } from '@/lib/ownChanges'
import { useNotices } from '@/lib/useNotices'
import { moved, newPriorities, type Placed } from './reorder'

/**
 * Puts rules into another order by writing priorities, each for the version seen. The new order is shown while it is
 * written, and can be changed on meanwhile: keys are quicker than the server. When somebody else has changed one of the
 * rules, the newest order comes back.
 */
export function useOrder(rules: Readonly<Ref<readonly Rule[] | undefined>>) {
  const { t } = useText()
  const notices = useNotices()
  const queries = useQueryClient()
  const writing = ref(false)
  /** The ids in the order in which the person wants them. */
  const wanted = shallowRef<readonly string[] | null>(null)
  /** For people who can't see that a rule has moved. */
  const told = ref('')
  /** The rules as they were written last. */
  let known = new Map<string, Rule>()
  let lastMoved = { id: '', name: '' }

  const shown = computed(() => {
    const now = new Map(rules.value?.map((rule) => [rule.id, rule]))
    return wanted.value?.flatMap((id) => now.get(id) ?? []) ?? rules.value
  })

  async function write(changes: readonly Placed[]) {
    // The list may hear of it before the answer is here: it is this person's doing then, too.
    noteOwnChange()
    for (const { id, priority } of changes) known.set(id, await updateRule(id, known.get(id)?.version ?? 0, { priority }))
  }

  /** Writes until the server has what the person wants, which may change meanwhile. The order that was written. */
  async function writeWanted(): Promise<readonly string[] | null> {
    for (let order = wanted.value; ; order = wanted.value) {
      if (order === null) return null
      const placed = order.flatMap((id) => known.get(id) ?? [])
      await write(newPriorities(placed, lastMoved.id))
      if (wanted.value === order) return order
    }
  }

  async function settle() {
    const first = new Map(rules.value?.map((rule) => [rule.id, rule]))
    known = new Map(first)
    let written: readonly string[] | null = null
    try {
      written = await writeWanted()
      const back = [...first.values()].filter(({ id, priority }) => known.get(id)?.priority !== priority)
      if (back.length > 0) notices.done(t('rules.order.done', { name: lastMoved.name, n: back.length }, back.length), () => write(back))
    } catch (error) {
      const isStale = asProblem(error).code === 'stale'
      told.value = isStale ? t('rules.order.stale') : ''
      if (isStale) notices.warn(t('rules.order.stale'))
      else notices.failed(error)
    }
    noteOwnChange()
    await queries.invalidateQueries({ queryKey: ['rules'] })
    await nextTick()
    // Moved on while the newest was on its way; after a refusal nothing of it stands.
    if (written === null || wanted.value === written) wanted.value = null
  }

  async function move(from: number, to: number) {
    const before = shown.value ?? []
    const rule = before[from]
    if (rule === undefined || from === to || to < 0 || to >= before.length) return
    wanted.value = moved(before, from, to).map(({ id }) => id)
    lastMoved = rule
    told.value = t('rules.order.moved', { name: rule.name, place: to + 1, of: before.length })
    if (writing.value) return
    writing.value = true
    while (wanted.value !== null) await settle()
    writing.value = false
  }

  return { move, writing, told, shown }
}
