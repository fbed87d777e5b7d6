import type { MemberLevel } from '@/api/credentials'
import { useText } from '@/i18n'
import { useFormat } from '@/lib/useFormat'
import type { Tell } from './conflict'
import { LEVEL_TEXTS } from '@/lib/levels'
import { useGroupChoices } from './useGroupChoices'

/** A field's value in words. A new secret is only said to be new. */
export function useTelling(): Tell {
  const { t } = useText()
  const format = useFormat()
  const { nameOf } = useGroupChoices()

  return (field, value, of) => {
    if (field === 'api_hash' || field === 'source_phone') {
      if (value === null) return t('common.none')
      return of === 'mine' ? t('credentials.form.newValue') : String(value)
    }
    if (value === null || value === undefined || value === '') return t('common.none')
    if (field === 'group_id') return nameOf(String(value))
    if (field === 'min_member_level') return t(LEVEL_TEXTS[value as MemberLevel])
    if (typeof value === 'boolean') return t(value ? 'credentials.form.yes' : 'credentials.form.no')
    if (typeof value === 'number') return format.count(value)
    if (Array.isArray(value)) return value.length === 0 ? t('common.none') : value.join(t('common.listComma'))
    return String(value)
  }
}
