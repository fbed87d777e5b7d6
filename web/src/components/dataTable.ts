import type { InjectionKey, Ref } from 'vue'
import type { TextKey } from '@/i18n'

export interface Column {
  /** Names the slot: `cell-<key>`. */
  key: string
  label: TextKey
  /** A CSS width; columns without one share what is left. */
  width?: string
  align?: 'end'
  /** The server's field to sort by, when it can. */
  sortBy?: string
  /** Not among the columns that are shown at first. */
  extra?: boolean
}

export type Density = 'normal' | 'dense'

/** Row heights in pixels: 4 px grid. */
export const ROW_HEIGHT: Record<Density, number> = { normal: 40, dense: 32 }

/** What scrolls the rows, so that a long table draws only those in view. */
export const SCROLLER: InjectionKey<Readonly<Ref<HTMLElement | null>>> = Symbol('scroller')
