import type { QueryKey } from '@tanstack/vue-query'
import { shallowRef } from 'vue'
import { asProblem } from '@/api/problem'
import { useAction } from './useAction'

interface Edited<Thing, Change> {
  /** Sends a change of the version seen. */
  save: (seen: number, change: Change) => Promise<Thing>
  /** The newest version. */
  load: () => Promise<Thing>
}

/**
 * An edit of something that others may edit meanwhile. When the version seen is no longer the newest, nothing is saved
 * and `theirs` holds the newest one, until the person has chosen.
 */
export function useEdit<Thing extends { version: number }, Change>(touches: readonly QueryKey[], { save, load }: Edited<Thing, Change>) {
  const theirs = shallowRef<Thing | null>(null)
  const action = useAction(touches, async (seen: number, change: Change) => {
    try {
      const saved = await save(seen, change)
      theirs.value = null
      return saved
    } catch (error) {
      if (asProblem(error).code !== 'stale') throw error
      theirs.value = await load()
      return undefined
    }
  })
  return { ...action, theirs }
}
