// What a browser must load before a page stands, in gzipped JavaScript: the entry, the page's own chunk, the largest
// language, and everything they import. Fails the build when a page is over its budget.
import { readFileSync } from 'node:fs'
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
const languages = chunks.map(([key]) => key).filter((key) => /^src\/i18n\/locales\//.test(key))
const heaviest = (keys) => keys.sort((a, b) => weight([b]) - weight([a])).slice(0, 1)
const language = heaviest(languages)
const pageTexts = heaviest(chunks.map(([key]) => key).filter((key) => /^src\/i18n\/pages\//.test(key)))
const shell = chunks.map(([key]) => key).filter((key) => key === 'src/components/shell/AppShell.vue')
const pages = chunks.filter(([key, chunk]) => chunk.isDynamicEntry && /Page\.vue$/.test(key)).map(([key]) => key)

if (entry.length !== 1 || language.length !== 1 || shell.length !== 1 || pageTexts.length !== 1 || pages.length === 0) {
  console.error(`budget: the build has an unexpected shape: ${JSON.stringify({ entry, languages, shell, pages })}`)
  process.exit(1)
}

let over = false
for (const page of pages) {
  const parts = [...entry, ...language, page, ...(page in budgets ? [] : [...shell, ...pageTexts])]
  const [bytes, limit] = [weight(parts), budgets[page] ?? anyPage]
  over ||= bytes > limit
  console.log(`${bytes > limit ? 'OVER' : 'ok  '} ${(bytes / 1000).toFixed(1).padStart(6)} of ${limit / 1000} kB  ${page}`)
}
process.exit(over ? 1 : 0)
