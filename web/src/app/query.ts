import { QueryClient } from '@tanstack/vue-query'
import { asProblem } from '@/api/problem'

const TRIES = 3

/** Repeats only what may pass by itself, and not before the server's `Retry-After`. */
export function createQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // The pool often lives on the same machine or network, where "offline" says nothing.
        networkMode: 'always',
        staleTime: 10_000,
        retry: (failures, error) => failures < TRIES - 1 && asProblem(error).isTransient && waitSeconds(error) <= 10,
        retryDelay: (failures, error) => waitSeconds(error) * 1_000 || 500 * 2 ** failures,
      },
      mutations: { networkMode: 'always' },
    },
  })
}

function waitSeconds(error: unknown): number {
  return asProblem(error).retryAfter ?? 0
}
