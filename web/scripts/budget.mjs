// What a browser must load before a page stands, in gzipped JavaScript: the entry, the page's own chunk, its texts in the
// largest language, and everything they import. Fails the build when a page is over its budget.
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
const heaviest = (candidates) => [...candidates].sort((a, b) => weight(b) - weight(a))[0] ?? []
const shell = keys.filter((key) => key === 'src/components/shell/AppShell.vue')
const pages = chunks.filter(([key, chunk]) => chunk.isDynamicEntry && /Page\.vue$/.test(key)).map(([key]) => key)

/** What the routes load with their pages: `speaking(() => import('./GroupsPage.vue'), 'groups', 'settings.words')`. */
const features = new URL('../src/features/', import.meta.url)
const spoken = readdirSync(features).flatMap((feature) => {
  const index = new URL(`${feature}/index.ts`, features)
  if (!existsSync(index)) return []
  return [...readFileSync(index, 'utf8').matchAll(/speaking\(\(\) => import\('\.\/([^']+)'\)((?:, '[^']+')*)\)/g)].map(([, page, parts]) => [
    `src/features/${feature}/${page}`,
    [...parts.matchAll(/'(\w+)(?:\.(\w+))?'/g)].map(([, of, part]) => `src/features/${of}/texts/${part === undefined ? '' : `${part}.`}`),
  ])
})
const textsOf = new Map(spoken)
const languages = keys.filter((key) => key.startsWith('src/i18n/locales/')).map((key) => key.replace(/^.*\/|\.ts$/g, ''))
const inLanguage = (page, language) =>
  page in budgets
    ? [`src/i18n/locales/${language}.ts`]
    : [`src/i18n/locales/${language}.ts`, `src/i18n/frame/${language}.ts`, ...(textsOf.get(page) ?? []).map((part) => `${part}${language}.json`)]

const silent = pages.filter((page) => page.startsWith('src/features/') && !(page in budgets) && !textsOf.has(page))
if (entry.length !== 1 || languages.length === 0 || shell.length !== 1 || pages.length === 0 || silent.length > 0) {
  console.error(`budget: the build has an unexpected shape: ${JSON.stringify({ entry, languages, shell, pages, silent })}`)
  process.exit(1)
}

let over = false
for (const page of pages) {
  const texts = heaviest(languages.map((language) => inLanguage(page, language)))
  const parts = [...entry, ...texts, page, ...(page in budgets ? [] : shell)]
  const [bytes, limit] = [weight(parts), budgets[page] ?? anyPage]
  over ||= bytes > limit
  console.log(`${bytes > limit ? 'OVER' : 'ok  '} ${(bytes / 1000).toFixed(1).padStart(6)} of ${limit / 1000} kB  ${page}`)
}
process.exit(over ? 1 : 0)
