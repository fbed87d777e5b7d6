import { currentLocale } from '@/i18n'
import { formatCount, formatExact, formatRelative, formatSize } from './format'
import { usePresent } from './usePresent'

/** The formats in the language shown; relative times move with the present. */
export function useFormat() {
  const present = usePresent()
  return {
    count: (value: number) => formatCount(value, currentLocale()),
    size: (bytes: number) => formatSize(bytes, currentLocale()),
    exact: (time: number) => formatExact(time, currentLocale()),
    relative: (time: number) => formatRelative(time, present.value.getTime(), currentLocale()),
    isFuture: (time: number) => time > present.value.getTime(),
  }
}
