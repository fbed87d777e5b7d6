import type { Problem } from '@/api/problem'
import type { TextKey } from '@/i18n'

export interface ProblemText {
  title: TextKey
  hint: TextKey
}

const TEXTS: Record<string, ProblemText> = {
  network: { title: 'common.problems.network.title', hint: 'common.problems.network.hint' },
  unreadable: { title: 'common.problems.unreadable.title', hint: 'common.problems.unreadable.hint' },
  unauthenticated: { title: 'common.problems.ended.title', hint: 'common.problems.ended.hint' },
  token_expired: { title: 'common.problems.ended.title', hint: 'common.problems.ended.hint' },
  forbidden: { title: 'common.problems.forbidden.title', hint: 'common.problems.forbidden.hint' },
  invalid_parameter: { title: 'common.problems.invalid.title', hint: 'common.problems.invalid.hint' },
  not_found: { title: 'common.problems.notFound.title', hint: 'common.problems.notFound.hint' },
  rate_limited: { title: 'common.problems.limited.title', hint: 'common.problems.limited.hint' },
  overloaded: { title: 'common.problems.overloaded.title', hint: 'common.problems.overloaded.hint' },
  internal: { title: 'common.problems.internal.title', hint: 'common.problems.internal.hint' },
}
const UNKNOWN: ProblemText = { title: 'common.problems.unknown.title', hint: 'common.problems.unknown.hint' }

/** What to say about a problem; a feature that knows better for some codes says so in `own`. */
export function problemText(problem: Problem, own: Record<string, ProblemText> = {}): ProblemText {
  return own[problem.code] ?? TEXTS[problem.code] ?? UNKNOWN
}
