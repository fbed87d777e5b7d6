import type { InjectionKey } from 'vue'
import type { RouteLocationRaw } from 'vue-router'

/** What a detail knows of the list that it stands beside: where J and K go, and what closing it leaves. */
export interface Neighbours {
  /** Null before the first row shown, and for a credential that is not among them. */
  previous: (id: string) => RouteLocationRaw | null
  next: (id: string) => RouteLocationRaw | null
  close: () => RouteLocationRaw
}

export const NEIGHBOURS: InjectionKey<Neighbours> = Symbol('neighbours')
