import { useText } from '@/i18n'
import { FIELDS } from './evidence'

/** What a particular is called: in words where there are some, else as it stands. */
export function useFieldName() {
  const { t } = useText()
  return (key: string) => {
    const known = FIELDS[key] ?? FIELDS[key.split('.').at(-1) ?? '']
    return known === undefined ? key : t(known)
  }
}
