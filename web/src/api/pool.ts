/** The pool as a whole. */
import { client, data, type Schemas } from './call'

export type PoolStats = Schemas['StatsView']
export type PoolHealth = Schemas['PoolHealthView']
export type Trend = Schemas['TrendView']
export type Strategies = Schemas['StrategiesView']
export type StrategyName = Schemas['StrategyChange']['strategy']

export function getStats(hours: number, signal?: AbortSignal): Promise<PoolStats> {
  return data(client.GET('/api/admin/api-pool/stats', { params: { query: { hours } }, signal }))
}

export function getPoolHealth(signal?: AbortSignal): Promise<PoolHealth> {
  return data(client.GET('/api/admin/api-pool/health', { signal }))
}

/** The pool over the last hours, and for how long its slots will last. */
export function getTrend(hours: number, signal?: AbortSignal): Promise<Trend> {
  return data(client.GET('/api/admin/api-pool/trend', { params: { query: { hours } }, signal }))
}

export function getStrategies(signal?: AbortSignal): Promise<Strategies> {
  return data(client.GET('/api/admin/api-pool/strategies', { signal }))
}

export function setStrategy(strategy: StrategyName): Promise<Strategies> {
  return data(client.POST('/api/admin/api-pool/strategy', { body: { strategy } }))
}
