/** What a person brings: a file, or what they paste. Everything here is about its text, before anybody judges its lines. */

/** The server takes no longer request. */
export const LARGEST_BYTES = 16 * 1024 * 1024
/** So many lines are answered at once, and looked at at once. */
export const LINES_AT_ONCE = 10_000

export interface Decoded {
  text: string
  encoding: string
}

/**
 * The text of a file: UTF-8 or UTF-16 by its mark, else what spreadsheets of Chinese systems write. Null when it is no
 * text, as a workbook isn't.
 */
export function decode(bytes: Uint8Array): Decoded | null {
  const [first, second] = bytes
  const marked = first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : null
  if (marked !== null) return { text: new TextDecoder(marked).decode(bytes), encoding: marked.toUpperCase() }
  if (bytes.subarray(0, 4096).includes(0)) return null
  for (const encoding of ['utf-8', 'big5', 'gb18030']) {
    try {
      return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes), encoding: encoding.toUpperCase() }
    } catch {
      // Not this one.
    }
  }
  return null
}

/** How many bytes a text takes in a request: JSON writes some signs as two, or six. */
export function sentBytes(text: string): number {
  let bytes = new TextEncoder().encode(text).length
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 0x22 || code === 0x5c || code === 0x0a || code === 0x0d || code === 0x09) bytes += 1
    else if (code < 0x20) bytes += 5
  }
  return bytes
}

/** Where each line begins, whichever system ended them. */
export function lineStarts(text: string): number[] {
  const starts = text === '' ? [] : [0]
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code !== 0x0a && code !== 0x0d) continue
    if (code === 0x0d && text.charCodeAt(at + 1) === 0x0a) at += 1
    if (at + 1 < text.length) starts.push(at + 1)
  }
  return starts
}

/** The first lines that hold something, without their ends. */
export function firstLines(text: string, count: number): string[] {
  const lines: string[] = []
  // A sample is enough, whatever the size of the file.
  for (const line of text.replace(/^\ufeff+/, '').slice(0, 100_000).split(/\r\n|\n|\r/)) {
    if (!isSkipped(line)) lines.push(line.slice(0, 4_096))
    if (lines.length === count) break
  }
  return lines
}

/** Blank, a comment, or a spreadsheet's `sep=;`: the server steps over these too. */
export function isSkipped(line: string): boolean {
  const tidy = line.trim()
  return tidy === '' || tidy.startsWith('#') || (tidy.length <= 5 && /^sep=/i.test(tidy))
}

/** A cell as a person may see it: enough to know it by, too little to use it. */
export function hinted(cell: string): string {
  const text = cell.trim()
  if (/^\+?[\d\s()-]{8,}$/.test(text) && /^\+|\s|.{11}/.test(text)) return `${text.slice(0, 3)}•••${text.slice(-2)}`
  if (!/\s/.test(text) && text.length >= 12 && /^[\x21-\x7e…]+$/.test(text)) return `${text.slice(0, 4)}…${text.slice(-4)}`
  return [...text].length > 24 ? `${[...text].slice(0, 24).join('')}…` : text
}
