import type { QueryKey } from '@tanstack/vue-query'
import { computed, shallowRef } from 'vue'
import { useAction } from './useAction'

interface Deletion<Item> {
  /** The item as it was seen when the question was asked. */
  item: Item
  touches: readonly QueryKey[]
  remove: (id: string, version: number) => Promise<unknown>
  get: (id: string) => Promise<Item>
}

/** Deletes what was seen. When somebody has edited it since, the newest is shown, and may be deleted next. */
export function useDeletion<Item extends { id: string; version: number }>({ item, touches, remove, get }: Deletion<Item>) {
  const newest = shallowRef(item)
  const deletion = useAction(touches, async () => {
    await remove(item.id, newest.value.version)
    return newest.value
  })
  const reload = useAction([], () => get(item.id))
  const hasMoved = computed(() => deletion.problem.value?.code === 'stale')

  /** What was deleted; undefined when nothing was. */
  async function run(): Promise<Item | undefined> {
    const deleted = await deletion.run()
    if (deleted === undefined && hasMoved.value) newest.value = (await reload.run()) ?? newest.value
    return deleted
  }

  return {
    run,
    newest,
    hasMoved,
    busy: deletion.busy,
    /** Of a newer version there is a notice, unless it can't be had. */
    problem: computed(() => (hasMoved.value ? reload.problem.value : deletion.problem.value)),
  }
}
