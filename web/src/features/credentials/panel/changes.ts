export interface Change {
  field: string
  before: string | null
  after: string | null
}

/** What an entry of the audit trail changed, field by field. A lone `value` is the thing itself. */
export function changesIn(before: Record<string, unknown> | null, after: Record<string, unknown> | null): Change[] {
  const fields = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])]
  return fields.map((field) => ({ field: field === 'value' ? '' : field, before: shown(before?.[field]), after: shown(after?.[field]) }))
}

/** Further particulars, as `name value`. What is nothing is left out. */
export function particulars(data: Record<string, unknown> | null): { name: string; value: string }[] {
  return Object.entries(data ?? {}).flatMap(([name, value]) => {
    const text = shown(value)
    return text === null ? [] : [{ name, value: text }]
  })
}

function shown(value: unknown): string | null {
  if (value === null || value === undefined || value === '') return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}
