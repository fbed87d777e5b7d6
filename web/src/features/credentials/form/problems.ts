import type { Problem } from '@/api/problem'
import type { ProblemText } from '@/components/problemTexts'

/** What the forms know better than the general texts. */
export const OWN: Record<string, ProblemText> = {
  already_exists: { title: 'credentials.form.exists.title', hint: 'credentials.form.exists.hint' },
  invalid_parameter: { title: 'credentials.form.refused.title', hint: 'credentials.form.refused.hint' },
}

/** Everything that the server refused stands beside its field already. */
export function isBesideFields(problem: Problem, values: object): boolean {
  return problem.details.length > 0 && problem.details.every(({ field }) => (field.split(/[.[]/)[0] ?? field) in values)
}
