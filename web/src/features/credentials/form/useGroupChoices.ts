import { computed } from 'vue'
import { useGroups } from '@/features/groups/useGroups'
import { currentLocale, useText } from '@/i18n'

/** A select can't hold an empty value: this one stands for no group. */
export const NO_GROUP = 'none'

/** The groups to choose from, by name. `own`: one that may be gone, or not yet here. */
export function useGroupChoices(own?: () => { id: string; name: string } | null) {
  const { t } = useText()
  const { groups: all, isPending } = useGroups()

  const choices = computed(() => {
    const groups = all.value.map(({ id, name }) => ({ value: id, label: name }))
    const extra = own?.() ?? null
    if (extra !== null && !groups.some(({ value }) => value === extra.id)) groups.push({ value: extra.id, label: extra.name })
    groups.sort((a, b) => a.label.localeCompare(b.label, currentLocale()))
    return [{ value: NO_GROUP, label: t('common.none') }, ...groups]
  })

  return { choices, isPending, nameOf: (id: string) => choices.value.find(({ value }) => value === id)?.label ?? id }
}
