import { cellsOf, delimiterOf, type Format } from './shape'
import { firstLines, isSkipped, lineStarts, LINES_AT_ONCE } from './text'

/** A part of a source that the server looks at at once, and where its lines stand in the whole. */
export interface Slice {
  source: { data: string } | { apis: unknown[] }
  /** The line in the whole of a line of the slice. */
  lineOf: (line: number) => number
}

/** Cells are at most so long: a quote that is open for longer was never closed. */
const LONGEST_CELL = 10 * 1024

/** The whole, cut where it is longer than the server looks at at once. Rows stay whole, and each slice has the header. */
export function slicesOf(text: string, format: Format, hasHeader: boolean, atOnce = LINES_AT_ONCE): Slice[] {
  if (format === 'json') {
    const items = listIn(text)
    if (items !== null) {
      if (items.length <= atOnce) return [whole(text)]
      return chunks(items.length, atOnce).map(([from, to]) => ({ source: { apis: items.slice(from, to) }, lineOf: (line) => from + line }))
    }
  }
  const starts = lineStarts(text)
  if (starts.length <= atOnce) return [whole(text)]

  const [headFrom, headTo] = hasHeader && format !== 'json' ? headerLines(text, starts) : [0, 0]
  const header = text.slice(starts[headFrom] ?? 0, starts[headTo] ?? text.length)
  const cuts = format === 'csv' ? rowStarts(text, starts) : starts.map((_, line) => line)
  const slices: Slice[] = []
  let [from, last] = [headTo, headTo]
  const add = (to: number) => {
    if (to <= from) return
    const [first, headed] = [from, headTo - headFrom]
    slices.push({ source: { data: header + text.slice(starts[first], starts[to]) }, lineOf: (line) => Math.max(1, line - headed + first) })
    from = to
  }
  for (const cut of cuts) {
    if (cut <= headTo) continue
    if (cut - from > atOnce) add(last)
    last = cut
  }
  if (starts.length - from > atOnce) add(last)
  add(starts.length)
  return slices
}

function whole(text: string): Slice {
  return { source: { data: text }, lineOf: (line) => line }
}

function chunks(length: number, size: number): [number, number][] {
  return Array.from({ length: Math.ceil(length / size) }, (_, at) => [at * size, Math.min(length, (at + 1) * size)])
}

/** The first line that holds something, as `[from, to)` in lines. */
function headerLines(text: string, starts: readonly number[]): [number, number] {
  const at = starts.findIndex((start, line) => !isSkipped(text.slice(start, starts[line + 1]).replace(/^\ufeff/, '')))
  return at < 0 ? [0, 0] : [at, at + 1]
}

/** Lines at which a row begins: a quoted cell may go over several. */
function rowStarts(text: string, starts: readonly number[]): number[] {
  const delimiter = delimiterOf(firstLines(text, 20)) ?? ','
  const begins: number[] = []
  let openSince: number | null = null
  starts.forEach((start, line) => {
    const content = text.slice(start, starts[line + 1])
    if (openSince === null) begins.push(line)
    const quotes = content.split('"').length - 1
    if (openSince === null) {
      // A quote opens a cell only at its beginning.
      if (quotes % 2 === 1 && cellsOf(content, delimiter).some((cell) => cell.trimStart().startsWith('"'))) openSince = start
    } else if (quotes % 2 === 1 || start - openSince > LONGEST_CELL) openSince = null
  })
  return begins
}

/** Where an object keeps its list: as the server looks for it. */
const LISTS = ['apis', 'items', 'credentials', 'data', 'results']

function listIn(text: string): unknown[] | null {
  try {
    return list(JSON.parse(text.replace(/^\ufeff+/, '')), 2)
  } catch {
    return null
  }
}

function list(document: unknown, depth: number): unknown[] | null {
  if (Array.isArray(document)) return document
  if (typeof document !== 'object' || document === null || depth < 0) return null
  const held = document as Record<string, unknown>
  const key = LISTS.find((name) => typeof held[name] === 'object' && held[name] !== null)
  return key === undefined ? null : list(held[key], depth - 1)
}
