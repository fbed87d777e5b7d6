/** What an `<input type="datetime-local">` holds: a time of this place, to the minute. Empty is no time. */

export function toLocalInput(moment: string | null | undefined): string {
  if (moment === null || moment === undefined) return ''
  const date = new Date(moment)
  if (Number.isNaN(date.getTime())) return ''
  const two = (value: number) => String(value).padStart(2, '0')
  return `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`
}

/** The day that it is in this place, as `2026-11-30`. */
export function today(now = new Date()): string {
  return toLocalInput(now.toISOString()).slice(0, 10)
}

export function fromLocalInput(text: string): string | null {
  const date = new Date(text)
  return text === '' || Number.isNaN(date.getTime()) ? null : date.toISOString()
}

/** The same moment, as far as the input can tell: one that nobody has touched keeps its seconds. */
export function changedMoment(text: string, before: string | null | undefined): string | null {
  return text === toLocalInput(before) ? (before ?? null) : fromLocalInput(text)
}
