// What a browser must load before a page stands, in gzipped JavaScript: the entry, the page's own chunk, that of the page in
// which it stands, their texts in the largest language, and everything they import. Fails the build when a page is over its budget.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const dist = new URL('../dist/', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'))
const budgets = { 'src/features/session/SignInPage.vue': 170_000 }
const anyPage = 250_000

const sizes = new Map()
const size = (file) => {
  if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length)
  return sizes.get(file)
}

function scripts(keys, seen = new Set()) {
  for (const key of keys) {
    if (seen.has(key)) continue
    seen.add(key)
    scripts(manifest[key].imports ?? [], seen)
  }
  return seen
}
const weight = (keys) =>
  [...scripts(keys)].map((key) => manifest[key].file).filter((file) => file.endsWith('.js')).reduce((sum, file) => sum + size(file), 0)

const chunks = Object.entries(manifest)
const entry = chunks.filter(([, chunk]) => chunk.isEntry).map(([key]) => key)
const keys = chunks.map(([key]) => key)
const shell = keys.filter((key) => key === 'src/components/shell/AppShell.vue')

/**
 * What the routes load, `speaking(() => import('./GroupsPage.vue'), 'groups', 'settings.words')`: the component, its texts, and
 * the route in whose `children` it stands, which loads with it.
 */
const features = new URL('../src/features/', import.meta.url)
const routes = readdirSync(features).flatMap((feature) => {
  const index = new URL(`${feature}/index.ts`, features)
  if (!existsSync(index)) return []
  const source = readFileSync(index, 'utf8')
  const found = [...source.matchAll(/\(\) => import\('\.\/([^']+)'\)((?:, '[^']+')*)/g)].map(({ index: at, 1: file, 2: parts }) => ({
    at,
    page: `src/features/${feature}/${file}`,
    texts: [...parts.matchAll(/'(\w+)(?:\.(\w+))?'/g)].map(([, of, part]) => `src/features/${of}/texts/${part === undefined ? '' : `${part}.`}`),
  }))
  const nested = [...source.matchAll(/children: \[[^\]]*\]/g)].map(({ index: start, 0: { length } }) => ({ start, end: start + length }))
  return found.map((route) => {
    const around = nested.find(({ start, end }) => start < route.at && route.at < end)
    return { ...route, frame: found.findLast(({ at }) => at < (around?.start ?? 0)) }
  })
})
const routeOf = new Map(routes.map((route) => [route.page, route]))
const frames = new Set(routes.map(({ frame }) => frame?.page))
/** A frame without texts shows nothing by itself. */
const shown = routes.filter(({ page, texts }) => texts.length > 0 || !frames.has(page)).map(({ page }) => page)
const named = chunks.filter(([key, chunk]) => chunk.isDynamicEntry && /Page\.vue$/.test(key)).map(([key]) => key)
const pages = [...new Set([...named, ...shown])].sort()

const languages = keys.filter((key) => key.startsWith('src/i18n/locales/')).map((key) => key.replace(/^.*\/|\.ts$/g, ''))
/** The page with the frame around it: their components and texts. */
const parts = (page, language) => {
  if (page in budgets) return [page, `src/i18n/locales/${language}.ts`]
  const route = routeOf.get(page)
  const texts = [route?.frame, route].flatMap((one) => one?.texts.map((part) => `${part}${language}.json`) ?? [])
  return [page, ...(route?.frame ? [route.frame.page] : []), ...shell, `src/i18n/locales/${language}.ts`, `src/i18n/frame/${language}.ts`, ...texts]
}

const silent = shown.filter((page) => routeOf.get(page).texts.length === 0)
if (entry.length !== 1 || languages.length === 0 || shell.length !== 1 || pages.length === 0 || silent.length > 0) {
  console.error(`budget: the build has an unexpected shape: ${JSON.stringify({ entry, languages, shell, pages, silent })}`)
  process.exit(1)
}

let over = false
for (const page of pages) {
  const bytes = Math.max(...languages.map((language) => weight([...entry, ...parts(page, language)])))
  const limit = budgets[page] ?? anyPage
  over ||= bytes > limit
  console.log(`${bytes > limit ? 'OVER' : 'ok  '} ${(bytes / 1000).toFixed(1).padStart(6)} of ${limit / 1000} kB  ${page}`)
}
process.exit(over ? 1 : 0)
