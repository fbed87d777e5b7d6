import { isKnown, layoutOf, positional, type Choices, type ImportField } from './columns'
import { firstLines } from './text'

/** How a text is written, found out from its first lines as the server does it. What is found is then said to the server. */
export type Format = 'csv' | 'json' | 'text'
export type FormatChoice = Format | 'auto'

export interface SourceColumn {
  /** What the server calls it: its header, or its number from 0. */
  key: string
  /** Its header; empty where there is none. */
  header: string
  /** A cell of it. */
  sample: string
  field: ImportField | null
}

export interface Shape {
  format: Format
  /** Columns that can be said to be something else: of rows with a header or without, and of objects. */
  columns: SourceColumn[]
  hasHeader: boolean
}

const SAMPLE_LINES = 20
const DELIMITERS = [',', ';', '\t', '|'] as const

export function shapeOf(text: string, format: FormatChoice, choices: Choices): Shape {
  const lines = firstLines(text, SAMPLE_LINES)
  const found = format === 'auto' ? guess(lines) : format
  if (found === 'csv') return rows(lines, choices)
  if (found === 'json') return { format: found, hasHeader: true, columns: objectColumns(text, choices) }
  return { format: found, columns: [], hasHeader: isHeader((lines[0] ?? '').split(/[:,;|：，；｜\s]+/)) }
}

/** What stands between the cells: what makes the first line a header that is known, else what cuts the lines alike. */
export function delimiterOf(lines: readonly string[]): string | null {
  const [first = ''] = lines
  const known = (delimiter: string) => {
    const cells = cellsOf(first, delimiter)
    return cells.length > 1 && isHeader(cells) ? layoutOf(cells, {}).filter(Boolean).length : 0
  }
  const even = (delimiter: string) => {
    const width = cellsOf(first, delimiter).length
    return width < 2 ? 0 : lines.filter((line) => cellsOf(line, delimiter).length === width).length
  }
  const best = (score: (delimiter: string) => number) =>
    DELIMITERS.map((delimiter) => ({ delimiter, score: score(delimiter) }))
      .filter(({ score }) => score > 0)
      .reduce<{ delimiter: string; score: number } | null>((so, one) => (so === null || one.score > so.score ? one : so), null)?.delimiter ?? null
  return best(known) ?? best(even)
}

/** The cells of one line; a quoted one may hold the delimiter. */
export function cellsOf(line: string, delimiter: string): string[] {
  const cells: string[] = []
  for (let at = 0; ; ) {
    const rest = line.slice(at)
    const quoted = /^ *"((?:[^"]|"")*)" */.exec(rest)
    const isQuoted = quoted !== null && (quoted[0].length === rest.length || rest.startsWith(delimiter, quoted[0].length))
    const length = isQuoted ? quoted[0].length : rest.includes(delimiter) ? rest.indexOf(delimiter) : rest.length
    cells.push(isQuoted ? (quoted[1] ?? '').replaceAll('""', '"') : rest.slice(0, length))
    if (length === rest.length) return cells
    at += length + delimiter.length
  }
}

function guess(lines: readonly string[]): Format {
  const [first = ''] = lines
  if (/^[[{]/.test(first.trim())) return 'json'
  const delimiter = delimiterOf(lines)
  if (delimiter === null) return 'text'
  const table = lines.map((line) => cellsOf(line, delimiter))
  const [head = []] = table
  if (head.length > 1 && isHeader(head)) return 'csv'
  if (lines.some((line) => line.split(delimiter).some((cell) => cell.trim().startsWith('"')))) return 'csv'
  if (table.length > 1 && isForeignHeader(table)) return 'csv'
  return head.length >= 3 && table.every((cells) => cells.length === head.length && isNumber(cells[0])) ? 'csv' : 'text'
}

function rows(lines: readonly string[], choices: Choices): Shape {
  const delimiter = delimiterOf(lines) ?? ','
  const table = lines.map((line) => cellsOf(line, delimiter))
  const [head = [], ...others] = table
  const hasHeader = isHeader(head) || isForeignHeader(table)
  const fields = hasHeader ? layoutOf(head, choices) : positional(head.length, choices)
  const sample = (at: number) => (hasHeader ? others : table).map((cells) => cells[at]?.trim() ?? '').find((cell) => cell !== '') ?? ''
  return {
    format: 'csv',
    hasHeader,
    columns: head.map((header, at) => ({
      key: hasHeader ? header.trim() : String(at),
      header: hasHeader ? header.trim() : '',
      sample: sample(at),
      field: fields[at] ?? null,
    })),
  }
}

/** A first row that the server takes for a header by itself. */
function isHeader(cells: readonly string[]): boolean {
  if (!cells.some(isKnown)) return false
  const layout = layoutOf(cells, {})
  if (!layout.includes('api_id') && !layout.includes('api_hash')) return false
  const at = Math.max(0, layout.indexOf('api_id'))
  return !isNumber(cells[at])
}

/** A first row of words above rows with numbers: a header, though not in our words. */
function isForeignHeader([head = [], second = []]: readonly string[][]): boolean {
  return head.length > 1 && head.length === second.length && head.every((cell) => cell.trim() !== '' && !isNumber(cell)) && second.some(isNumber)
}

function isNumber(cell: string | undefined): boolean {
  return /^[\d.]+$/.test(cell?.trim() ?? '')
}

/** The keys of the first object. */
function objectColumns(text: string, choices: Choices): SourceColumn[] {
  const first = firstObject(text)
  if (first === null) return []
  const keys = Object.keys(first)
  const fields = layoutOf(keys, choices)
  return keys.map((key, at) => {
    const value = first[key]
    return { key, header: key, sample: typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '', field: fields[at] ?? null }
  })
}

function firstObject(text: string): Record<string, unknown> | null {
  // The first one without another one in it: enough to see its keys, and quick however long the text is.
  const found = /\{[^{}]*\}/.exec(text.slice(0, 100_000))
  try {
    const value: unknown = found === null ? null : JSON.parse(found[0])
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
