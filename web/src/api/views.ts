/** Saved views of lists: each person has their own. */
import { client, data, once, seen, sent, type Page, type Schemas } from './call'

export type SavedView = Schemas['ViewView']

export function listViews(page: string, signal?: AbortSignal): Promise<Page<SavedView>> {
  return data(client.GET('/api/admin/views', { params: { query: { page, limit: 100 } }, signal }))
}

export function addView(page: string, name: string, definition: Record<string, string>, key: string): Promise<SavedView> {
  return data(client.POST('/api/admin/views', { body: sent({ page, name, definition }), params: { header: once(key) } }))
}

export function updateView(id: string, version: number, definition: Record<string, string>): Promise<SavedView> {
  return data(client.PUT('/api/admin/views/{id}', { body: sent({ definition }), params: { path: { id }, header: seen(version) } }))
}

export function deleteView(id: string, version: number) {
  return data(client.DELETE('/api/admin/views/{id}', { params: { path: { id }, header: seen(version) } }))
}
