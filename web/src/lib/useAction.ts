import { useQueryClient, type QueryKey } from '@tanstack/vue-query'
import { ref, shallowRef } from 'vue'
import { asProblem, type Problem } from '@/api/problem'
import { noteOwnChange } from './ownChanges'

/**
 * Something that changes the server, started by a person: whether it runs, what went wrong, and that the queries it
 * touches are asked for again. A second start while it runs is left out: a double click is one click.
 */
export function useAction<Input extends unknown[], Output>(touches: readonly QueryKey[], work: (...input: Input) => Promise<Output>) {
  const queries = useQueryClient()
  const busy = ref(false)
  const problem = shallowRef<Problem | null>(null)

  /** Undefined when it failed (`problem` says why) or was running already. */
  async function run(...input: Input): Promise<Output | undefined> {
    if (busy.value) return undefined
    busy.value = true
    problem.value = null
    try {
      return await work(...input)
    } catch (error) {
      problem.value = asProblem(error)
      return undefined
    } finally {
      noteOwnChange()
      for (const queryKey of touches) void queries.invalidateQueries({ queryKey })
      busy.value = false
    }
  }

  return { run, busy, problem, forget: () => (problem.value = null) }
}
