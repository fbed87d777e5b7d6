import { icons } from '@iconify-json/lucide'
import { expect, it } from 'vitest'
import type { RouteRecordRaw } from 'vue-router'
import { FEATURES } from '@/app/features'
import { COLUMNS, LIST_RULES, SORTS } from '@/features/credentials/list'
import { readListState } from '@/lib/listState'
import { filesUnder, read } from './files'

const sources = [...filesUnder('src', /\.(?:ts|vue|css)$/), ...filesUnder('tests', /\.ts$/), ...filesUnder('scripts', /\.mjs$/), ...filesUnder('browser', /\.mjs$/)]

it('no file is longer than 300 lines, except the generated one', () => {
  const long = sources.filter((path) => !path.endsWith('schema.d.ts') && read(path).split('\n').length > 301)
  expect(long).toEqual([])
})

it('every icon that is named exists, so none would be missing from the bundle', () => {
  const named = new Set(sources.flatMap((path) => [...read(path).matchAll(/'?i-lucide-([a-z0-9-]+)/g)].map(([, name]) => name ?? '')))
  named.delete('')
  expect(named.size).toBeGreaterThan(10)
  expect([...named].filter((name) => !(name in icons.icons) && !(name in (icons.aliases ?? {})))).toEqual([])
})

it('the page needs no inline script, style or foreign address', () => {
  const page = read('index.html')
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)/)
  expect(page).not.toMatch(/<style|\sstyle=|\son\w+=/)
  expect(page).not.toMatch(/https?:|\/\/[a-z]/)
})

it('the script before the first paint reads the key that the pages write', () => {
  expect(read('public/first-paint.js')).toContain("localStorage.getItem('api-pool.theme')")
  expect(read('src/lib/storage.ts')).toContain("PREFIX = 'api-pool.'")
})

it('nothing of the session reaches the browser’s storage', () => {
  const storing = sources.filter((path) => path.startsWith('src') && /localStorage|sessionStorage|document\.cookie/.test(read(path)))
  expect(storing).toEqual(['src/app/freshCode.ts', 'src/lib/storage.ts'])
})

it('every filter and order of the credentials list is one that the document knows, and export and bulk actions take the filters', () => {
  const { paths, components } = JSON.parse(read('openapi.json'))
  const parameters = (path: string): { name: string; description?: string }[] => paths[path].get.parameters
  const listed = parameters('/api/admin/api-pool/')
  expect(listed.map(({ name }) => name)).toEqual(expect.arrayContaining([...(LIST_RULES.filters ?? [])]))
  expect(parameters('/api/admin/api-pool/export').map(({ name }) => name)).toEqual(expect.arrayContaining([...(LIST_RULES.filters ?? []), 'q']))
  const bulk = JSON.stringify(components.schemas.BulkRequest)
  expect((LIST_RULES.filters ?? []).filter((name) => !bulk.includes(`"${name}":`))).toEqual([])
  const sorts = listed.find(({ name }) => name === 'sort')?.description ?? ''
  expect(LIST_RULES.sortable.filter((field) => !sorts.includes(field))).toEqual([])
})

it('every order that is offered is one that the list takes', () => {
  for (const { sort } of SORTS) expect(readListState({ sort }, LIST_RULES).sort).toBe(sort)
  for (const { sortBy } of COLUMNS) if (sortBy !== undefined) expect(LIST_RULES.sortable).toContain(sortBy)
})

it('what the sidebar and the palette offer is there, asks for the same permission, and has a key of its own', () => {
  const flat = (routes: readonly RouteRecordRaw[]): RouteRecordRaw[] => routes.flatMap((route) => [route, ...flat(route.children ?? [])])
  const needs = new Map(FEATURES.flatMap(({ routes }) => flat(routes)).map(({ name, meta }) => [String(name), meta?.needs]))
  const entries = FEATURES.flatMap(({ navigation }) => navigation ?? [])
  for (const { to, needs: asked } of entries) if (to !== 'settings') expect([to, needs.get(to)]).toEqual([to, asked])
  for (const { to } of entries) expect([...needs.keys()]).toContain(to)
  for (const { to, needs: asked } of FEATURES.flatMap(({ commands }) => commands ?? [])) expect([to.name, needs.get(to.name)]).toEqual([to.name, asked])
  const keys = entries.map(({ key }) => key)
  expect(new Set(keys).size).toBe(entries.length)
})
