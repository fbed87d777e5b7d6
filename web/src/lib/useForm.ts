import { computed, reactive, shallowRef } from 'vue'
import type * as z from 'zod/mini'
import type { Problem } from '@/api/problem'

/**
 * A form's values and what is wrong with each. The schema speaks once the person has tried to send; what the server says
 * of a field stands beside that field until its value changes.
 */
export function useForm<Values extends Record<string, unknown>>(initial: () => Values, schema: () => z.ZodMiniType<unknown, unknown>) {
  const values = reactive(initial()) as Values
  const tried = shallowRef(false)
  const refused = shallowRef<{ problem: Problem; values: string } | null>(null)

  const issues = computed(() => schema().safeParse(values).error?.issues ?? [])

  const errors = computed<Partial<Record<string, string>>>(() => {
    const said: Partial<Record<string, string>> = {}
    const kept = refused.value
    if (kept !== null) {
      const then = JSON.parse(kept.values) as Values
      for (const { field, message } of kept.problem.details) {
        const name = field.split(/[.[]/)[0] ?? field
        if (!(name in values) || JSON.stringify(then[name]) === JSON.stringify(values[name])) said[name] ??= message
      }
    }
    if (tried.value) for (const { path, message } of issues.value) said[String(path[0])] ??= message
    return said
  })

  return {
    values,
    errors,
    /** Whether it may be sent; from here on the form says what is missing. */
    isReady: () => {
      tried.value = true
      return issues.value.length === 0
    },
    /** Puts what the server refused beside the fields. */
    refuse: (problem: Problem) => (refused.value = { problem, values: JSON.stringify(values) }),
    reset: () => {
      Object.assign(values, initial())
      tried.value = false
      refused.value = null
    },
  }
}
