import { currentLocale } from '@/i18n'
import { axisTime, formatChange, formatLength, formatMoment, formatRate, formatShare } from './formats'

/** The formats in the language shown. */
export function useChartFormat() {
  return {
    share: (share: number) => formatShare(share, currentLocale()),
    change: (value: number, digits?: number) => formatChange(value, currentLocale(), digits),
    rate: (value: number) => formatRate(value, currentLocale()),
    axisTime: (at: number) => axisTime(at, currentLocale()),
    length: (milliseconds: number) => formatLength(milliseconds, currentLocale()),
    moment: (at: number, length: number) => formatMoment(at, length, currentLocale()),
  }
}
