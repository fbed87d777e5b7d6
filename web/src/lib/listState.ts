/**
 * What a list shows, as the URL says it: `?q=…&status=…&sort=…&cursor=…`. The pages before the present one can't be told from
 * its cursor, so their cursors travel beside the URL, in the history entry (`trail`; `null` is the first page).
 */
export interface ListState {
  q: string
  /** Values by filter, several by comma: `{ status: 'in_use,banned' }`, `{ 'status!': 'disabled' }`. None is empty. */
  filters: Filters
  sort: string
  cursor: string | null
}

export type Filters = Readonly<Record<string, string>>

export interface ListRules {
  /** The filters that the URL may name. */
  filters?: readonly string[]
  /** The fields that the server can sort by. */
  sortable: readonly string[]
  defaultSort: string
  /** Parameters of the page's own, which stay as they are while the list moves. */
  alongside?: readonly string[]
}

export interface Place {
  state: ListState
  trail: Trail
}

/** Cursors of the pages before this one, first page first. Null: unknown, as after following a link to a later page. */
export type Trail = readonly (string | null)[] | null

type Query = Record<string, string | null | undefined | (string | null)[]>

const LONGEST_SEARCH = 200
const LONGEST_FILTER = 2_000

export function readListState(query: Query, rules: ListRules): ListState {
  const sort = single(query.sort)
  return {
    q: single(query.q).trim().slice(0, LONGEST_SEARCH),
    filters: readNamed(query, rules.filters),
    sort: isSort(sort, rules) ? sort : rules.defaultSort,
    cursor: single(query.cursor) || null,
  }
}

/** Leaves out what is the default, so that the plain address stays plain. */
export function writeListState(state: ListState, rules: ListRules): Record<string, string> {
  return {
    ...(state.q !== '' && { q: state.q }),
    ...state.filters,
    ...(state.sort !== rules.defaultSort && { sort: state.sort }),
    ...(state.cursor !== null && { cursor: state.cursor }),
  }
}

/** The page's own parameters, as they stand. */
export function readAlongside(query: Query, rules: ListRules): Filters {
  return readNamed(query, rules.alongside)
}

/** A trail as the browser's history kept it; anything else than a list of cursors is no trail. */
export function readTrail(kept: unknown, state: ListState): Trail {
  if (state.cursor === null) return []
  if (!Array.isArray(kept) || kept.length === 0 || kept[0] !== null) return null
  return kept.every((cursor, index) => index === 0 || typeof cursor === 'string') ? (kept as (string | null)[]) : null
}

export function nextPage({ state, trail }: Place, cursor: string): Place {
  return { state: { ...state, cursor }, trail: trail && [...trail, state.cursor] }
}

/** Null on the first page, and when nobody knows what was before. */
export function previousPage({ state, trail }: Place): Place | null {
  if (trail === null || trail.length === 0) return null
  return { state: { ...state, cursor: trail.at(-1) ?? null }, trail: trail.slice(0, -1) }
}

export function firstPage({ state }: Place): Place {
  return { state: { ...state, cursor: null }, trail: [] }
}

/** Another search, filter or order starts at the first page. */
export function changed({ state }: Place, change: Partial<Pick<ListState, 'q' | 'sort' | 'filters'>>): Place {
  return { state: { ...state, ...change, cursor: null }, trail: [] }
}

/** The filters with one of them set, or without it. */
export function withFilter(filters: Filters, name: string, value: string | null): Filters {
  const { [name]: _, ...others } = filters
  return value === null || value === '' ? others : { ...others, [name]: value }
}

/** What narrows the list down: nothing of it means that an empty list is an empty pool. */
export function isNarrowed({ q, filters }: ListState): boolean {
  return q !== '' || Object.keys(filters).length > 0
}

/** A click on a column's header: ascending, descending, and back to the default order. */
export function toggledSort(sort: string, field: string, rules: ListRules): string {
  if (sort === field) return `-${field}`
  if (sort === `-${field}`) return rules.defaultSort === `-${field}` ? field : rules.defaultSort
  return field
}

export function sortDirection(sort: string, field: string): 'ascending' | 'descending' | 'none' {
  if (sort === field) return 'ascending'
  return sort === `-${field}` ? 'descending' : 'none'
}

/** Which rows of all these are, counted from one; null when the pages before are unknown. */
export function rowRange(trail: Trail, limit: number, shown: number): { from: number; to: number } | null {
  if (trail === null || shown === 0) return null
  const before = trail.length * limit
  return { from: before + 1, to: before + shown }
}

function readNamed(query: Query, names: readonly string[] = []): Filters {
  const named = names.map((name) => [name, single(query[name]).trim()] as const)
  return Object.fromEntries(named.filter(([, value]) => value !== '' && value.length <= LONGEST_FILTER))
}

function isSort(sort: string, rules: ListRules): boolean {
  return rules.sortable.includes(sort.replace(/^-/, ''))
}

function single(value: Query[string]): string {
  const first = Array.isArray(value) ? value[0] : value
  return first ?? ''
}
