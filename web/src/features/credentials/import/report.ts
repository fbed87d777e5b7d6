import type { ImportReport } from '@/api/credentials'

export type Outcome = ImportReport['lines'][number]['outcome']

export interface Line {
  /** Its number in the source. */
  line: number
  apiId: string | null
  outcome: Outcome
  reason: string | null
}

export interface Report {
  imported: number
  duplicates: number
  rejected: number
  warnings: number
  lines: readonly Line[]
}

export type View = 'all' | 'imported' | 'duplicate' | 'rejected' | 'warning'

/** One answer, or those of slices in order: what stands twice in the whole is found here, as the server would. */
export function gathered(answers: readonly { report: ImportReport; lineOf: (line: number) => number }[]): Report {
  const lines = answers.flatMap(({ report, lineOf }) =>
    report.lines.map(({ line, api_id, outcome, reason }) => ({ line: lineOf(line), apiId: api_id, outcome, reason: reason === undefined ? null : placed(reason, lineOf) })),
  )
  return counted(answers.length > 1 ? withRepetitions(lines) : lines)
}

export function counted(lines: readonly Line[]): Report {
  const count = (view: View) => lines.filter((line) => isIn(line, view)).length
  return { imported: count('imported'), duplicates: count('duplicate'), rejected: count('rejected'), warnings: count('warning'), lines }
}

/** A warning is an imported line that a person should look at. */
export function isIn({ outcome, reason }: Line, view: View): boolean {
  if (view === 'all') return true
  return view === 'warning' ? outcome === 'imported' && reason !== null : outcome === view
}

const EARLIER = /^stands on line (\d+) already$/

/** A reason that names a line of the slice names the line of the whole. */
function placed(reason: string, lineOf: (line: number) => number): string {
  const at = EARLIER.exec(reason)?.[1]
  return at === undefined ? reason : `stands on line ${lineOf(Number(at))} already`
}

/** A rejected line doesn't count: a later one with its api_id is the first. */
function withRepetitions(lines: readonly Line[]): Line[] {
  const first = new Map<string, number>()
  return lines.map((line) => {
    if (line.apiId === null || line.outcome === 'rejected') return line
    const earlier = first.get(line.apiId)
    if (earlier === undefined) first.set(line.apiId, line.line)
    return earlier === undefined ? line : { ...line, outcome: 'duplicate', reason: `stands on line ${earlier} already` }
  })
}

/** The lines as a table for spreadsheets; `say` puts outcome and reason into words. */
export function asCsv(lines: readonly Line[], headers: readonly string[], say: (line: Line) => { outcome: string; reason: string }): string {
  const rows = lines.map((line) => {
    const { outcome, reason } = say(line)
    return [String(line.line), line.apiId ?? '', outcome, reason]
  })
  // The mark tells spreadsheets that this is UTF-8.
  return `\ufeff${[headers, ...rows].map((cells) => cells.map(cell).join(',')).join('\r\n')}\r\n`
}

function cell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
