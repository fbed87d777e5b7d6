/** Free attributes of a group as lines that a person edits. */
export interface Pair {
  key: string
  text: string
  /** What stood there when it was opened: a value that isn't text stays what it is. */
  kept?: unknown
}

export function pairsOf(attributes: Readonly<Record<string, unknown>>): Pair[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, text: shown(value), kept: value }))
}

/** Lines without a key are left out. */
export function attributesOf(pairs: readonly Pair[]): Record<string, unknown> {
  return Object.fromEntries(pairs.filter(({ key }) => key.trim() !== '').map((pair) => [pair.key.trim(), valueOf(pair)]))
}

/** The first key that stands in two lines. */
export function repeatedKey(pairs: readonly Pair[]): string | null {
  const keys = pairs.map(({ key }) => key.trim()).filter((key) => key !== '')
  return keys.find((key, index) => keys.indexOf(key) !== index) ?? null
}

/** One line for people: `region: eu, weight: 3`. */
export function attributesText(attributes: Readonly<Record<string, unknown>>): string {
  return Object.entries(attributes)
    .map(([key, value]) => `${key}: ${shown(value)}`)
    .sort()
    .join(', ')
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function valueOf({ text, kept }: Pair): unknown {
  if (kept === undefined || typeof kept === 'string') return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
