import { useQueryClient } from '@tanstack/vue-query'
import { shallowReactive } from 'vue'
import { asProblem } from '@/api/problem'
import { toggleRule, type Rule } from '@/api/rules'
import { useText } from '@/i18n'
import { noteOwnChange } from '@/lib/ownChanges'
import { useNotices } from '@/lib/useNotices'

/** Switches rules on and off. The switch moves at once, and back again when the server refuses. */
export function useToggle() {
  const { t } = useText()
  const notices = useNotices()
  const queries = useQueryClient()
  const wanted = shallowReactive(new Map<string, boolean>())

  async function set(rule: Rule, enabled: boolean) {
    if (wanted.has(rule.id)) return
    wanted.set(rule.id, enabled)
    noteOwnChange()
    try {
      const { version } = await toggleRule(rule.id, rule.version, enabled)
      notices.done(t(enabled ? 'rules.done.on' : 'rules.done.off', { name: rule.name }), () => toggleRule(rule.id, version, !enabled))
    } catch (error) {
      if (asProblem(error).code === 'stale') notices.warn(t('rules.stale', { name: rule.name }))
      else notices.failed(error)
    } finally {
      noteOwnChange()
      await queries.invalidateQueries({ queryKey: ['rules'] })
      wanted.delete(rule.id)
    }
  }

  return { set, shown: (rule: Rule): Rule => ({ ...rule, enabled: wanted.get(rule.id) ?? rule.enabled }) }
}
