import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { listCredentials } from '@/api/credentials'
import { listHistory } from '@/api/journal'
import { getPoolHealth, getStats, getTrend } from '@/api/pool'
import { getSettings } from '@/api/settings'
import { usePermissions } from '@/session/useMe'
import { RANGES, type Range } from './range'
import { thresholdsOf } from './verdict'

/** What events make out of date. The trend is not among it: the server counts it up once a minute, whatever happens. */
export const NOW_KEY = ['overview', 'now'] as const
export const EVENTS_KEY = [...NOW_KEY, 'events'] as const
const MINUTE_MS = 60_000

export const EVENTS_SHOWN = 12
export const RISKS_SHOWN = 6
/** Whoever is switched off is out of the way; whoever is banned is not. */
export const RISKS = { health_grade: 'fair,poor,critical', 'status!': 'disabled', sort: 'health_score' } as const

export function useStats(range: MaybeRefOrGetter<Range>) {
  return useQuery({
    queryKey: computed(() => [...NOW_KEY, 'stats', toValue(range)]),
    queryFn: ({ signal }) => getStats(RANGES[toValue(range)].hours, signal),
    placeholderData: keepPreviousData,
  })
}

export function useTrend(range: MaybeRefOrGetter<Range>) {
  return useQuery({
    queryKey: computed(() => ['overview', 'trend', toValue(range)]),
    queryFn: ({ signal }) => getTrend(RANGES[toValue(range)].hours, signal),
    placeholderData: keepPreviousData,
    refetchInterval: MINUTE_MS,
  })
}

export function useHealth() {
  return useQuery({ queryKey: [...NOW_KEY, 'health'], queryFn: ({ signal }) => getPoolHealth(signal) })
}

export function useRisks() {
  return useQuery({ queryKey: [...NOW_KEY, 'risks'], queryFn: ({ signal }) => listCredentials({ ...RISKS, limit: RISKS_SHOWN }, signal) })
}

export function useEvents() {
  return useQuery({ queryKey: EVENTS_KEY, queryFn: ({ signal }) => listHistory({ limit: EVENTS_SHOWN }, signal) })
}

export function useThresholds() {
  const { can } = usePermissions()
  return useQuery({
    queryKey: ['overview', 'thresholds'],
    queryFn: ({ signal }) => getSettings(signal),
    select: thresholdsOf,
    enabled: computed(() => can('settings:read')),
    staleTime: MINUTE_MS,
  })
}
