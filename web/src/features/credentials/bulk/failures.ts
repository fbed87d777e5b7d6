import type { Credential } from '@/api/credentials'
import type { TextKey } from '@/i18n'
import type { BulkLine } from './target'

export interface Failure {
  id: string
  /** Null for a credential that was not looked at before. */
  apiId: string | null
  name: string | null
  /** What the server says. */
  reason: string
}

/** The server's reasons, as far as they have words of their own in each language. */
export const REASONS: Readonly<Record<string, TextKey>> = {
  'the credential is banned; lift the ban first': 'credentials.bulk.reason.banned',
  'accounts hold this credential; release them first': 'credentials.bulk.reason.held',
  'the action stopped before this one; try again': 'credentials.bulk.reason.stopped',
}

export function failuresOf(lines: readonly BulkLine[], known: ReadonlyMap<string, Credential>): Failure[] {
  return lines
    .filter(({ success }) => !success)
    .map(({ id, error }) => ({ id, apiId: known.get(id)?.api_id ?? null, name: known.get(id)?.name ?? null, reason: error?.message ?? '' }))
}

/** For a spreadsheet, which must run nothing of it. */
export function failuresCsv(failures: readonly Failure[]): string {
  const rows = failures.map(({ id, apiId, name, reason }) => [id, apiId ?? '', name ?? '', reason])
  return [['id', 'api_id', 'name', 'reason'], ...rows].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n'
}

function cell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
