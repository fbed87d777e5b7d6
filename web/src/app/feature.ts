import type { QueryKey } from '@tanstack/vue-query'
import type { RouteRecordRaw } from 'vue-router'
import type { Permission } from '@/api/session'
import type { TextKey } from '@/i18n'
import type { LiveEvent } from '@/live/connection'

/** What a folder of `src/features` adds to the whole: everything that the frame around the pages needs to know of it. */
export interface Feature {
  /** Below `/`, inside the frame. A route says its `title` and what it `needs` in its meta. */
  routes: RouteRecordRaw[]
  /** Its entries in the sidebar and the command palette. */
  navigation?: readonly NavigationEntry[]
  /** What else the command palette offers. */
  commands?: readonly CommandEntry[]
  /** The queries that an event makes out of date, as key prefixes. */
  touchedBy?: (event: LiveEvent) => readonly QueryKey[]
}

/** The parts of the sidebar, in order. The first has no heading. */
export const SECTIONS = ['home', 'pool', 'records', 'organisation'] as const

export interface NavigationEntry {
  section: (typeof SECTIONS)[number]
  label: TextKey
  icon: string
  /** The route's name. */
  to: string
  /** Left out for people who lack it. */
  needs?: Permission
  /** Pressed after `g`, it goes there. */
  key?: string
}

export interface CommandEntry {
  label: TextKey
  icon: string
  to: { name: string; query?: Record<string, string>; params?: Record<string, string> }
  needs?: Permission
  /** More words to find it by, in any language. */
  words?: string
}
