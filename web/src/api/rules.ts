import { asked, client, data, once, seen, sent, type Page, type PageRequest, type Schemas } from './call'

export type Rule = Schemas['RuleView']
export type RuleEffect = Rule['effect']
export type NewRule = Schemas['NewRule']
export type RuleChange = Schemas['RuleChange']
export type TrialRequest = Schemas['Trial']
export type Trial = Schemas['TrialView']

export function listRules(query: PageRequest, signal?: AbortSignal): Promise<Page<Rule>> {
  return data(client.GET('/api/admin/api-pool/rules', { params: { query: asked(query) }, signal }))
}

export function getRule(id: string, signal?: AbortSignal): Promise<Rule> {
  return data(client.GET('/api/admin/api-pool/rules/{id}', { params: { path: { id } }, signal }))
}

export function addRule(body: NewRule, key: string): Promise<Rule> {
  return data(client.POST('/api/admin/api-pool/rules', { body: sent(body), params: { header: once(key) } }))
}

export function updateRule(id: string, version: number, body: RuleChange): Promise<Rule> {
  return data(client.PUT('/api/admin/api-pool/rules/{id}', { body: sent(body), params: { path: { id }, header: seen(version) } }))
}

export function toggleRule(id: string, version: number, enabled: boolean): Promise<Rule> {
  return data(client.PUT('/api/admin/api-pool/rules/{id}/toggle', { body: { enabled }, params: { path: { id }, header: seen(version) } }))
}

export function deleteRule(id: string, version: number) {
  return data(client.DELETE('/api/admin/api-pool/rules/{id}', { params: { path: { id }, header: seen(version) } }))
}

/** A preview with the rule and one without it. Nothing is saved. */
export function tryRule(body: TrialRequest, signal?: AbortSignal): Promise<Trial> {
  return data(client.POST('/api/admin/api-pool/rules/try', { body: sent(body), signal }))
}
