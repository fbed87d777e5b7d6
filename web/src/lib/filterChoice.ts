import type { Filters } from './listState'

/** Values of one filter: these, or all but these (`name!`). */
export interface Choice {
  values: readonly string[]
  excludes: boolean
}

export function readChoice(filters: Filters, name: string): Choice {
  const excludes = filters[name] === undefined && filters[`${name}!`] !== undefined
  const text = filters[excludes ? `${name}!` : name] ?? ''
  return { values: text === '' ? [] : text.split(','), excludes }
}

/** The changes that make a filter say this: one of the two parameters, never both. */
export function writeChoice(name: string, { values, excludes }: Choice): Record<string, string | null> {
  const text = values.length === 0 ? null : values.join(',')
  return { [name]: excludes ? null : text, [`${name}!`]: excludes ? text : null }
}

/** "These" becomes "all but these", and back. */
export function flipped(filters: Filters, name: string): Record<string, string | null> {
  const { values, excludes } = readChoice(filters, name)
  return writeChoice(name, { values, excludes: !excludes })
}
