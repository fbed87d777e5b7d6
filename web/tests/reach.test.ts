import { describe, expect, it } from 'vitest'
import { START_ICONS } from '../scripts/icons'
import { FEATURE_INDEX, reach, SOURCES } from './graph'
import { textFiles } from './textFiles'

// The texts come in parts, with what shows them. A key whose part isn't there yet would be shown as it is.

const partOf = new Map(textFiles('en').flatMap(({ part, texts }) => Object.keys(texts).map((key) => [key, part] as const)))
const parts = new Set(partOf.values())
const keysIn = (file: string) => [...(SOURCES.get(file)?.text.matchAll(/'([a-z]\w*(?:\.\w+)+)'/g) ?? [])].map(([, key = '']) => key).filter((key) => partOf.has(key))

/** The keys that a file may show while their part isn't loaded. */
const missing = (reached: ReturnType<typeof reach>) => [
  ...new Set(reached.flatMap(({ file, parts }) => keysIn(file).filter((key) => !parts.has(partOf.get(key) ?? '')).map((key) => `${file}: ${key}`))),
]

const START = ['common', 'session']
const FRAME = [...START, ...[...parts].filter((part) => part.endsWith('.titles'))]
const SIGNING_IN = ['src/main.ts', 'src/App.vue', 'src/features/session/SignInPage.vue']
const routes = [...SOURCES].filter(([file]) => FEATURE_INDEX.test(file)).flatMap(([, { later }]) => later)

describe('every text is loaded before it is shown', () => {
  it('finds the routes, and all sources from them', () => {
    expect(routes.length).toBeGreaterThan(12)
    const found = new Set([...reach(['src/main.ts', 'src/components/shell/AppShell.vue', 'src/components/LostPage.vue', 'src/features/session/SignInPage.vue'], []), ...routes.flatMap(({ file }) => reach([file], []))].map(({ file }) => file))
    expect([...SOURCES.keys()].filter((file) => !found.has(file) && keysIn(file).length > 0)).toEqual([])
  })

  it('when signing in', () => {
    expect(missing(reach(SIGNING_IN, START).filter(({ file }) => !FEATURE_INDEX.test(file)))).toEqual([])
  })

  it('in the frame, and in what the features share', () => {
    const shared = [...SOURCES.keys()].filter((file) => file.startsWith('src/components/'))
    expect(missing(reach(['src/main.ts', ...shared], FRAME))).toEqual([])
  })

  it.each(routes)('in $file', ({ file, parts: spoken }) => {
    expect(spoken.filter((part) => !parts.has(part))).toEqual([])
    expect(missing(reach([file], [...FRAME, ...spoken]))).toEqual([])
  })

  it('and no route loads what nothing of it can show', () => {
    const idle = routes.flatMap(({ file, parts: spoken }) => {
      const used = new Set(reach([file], []).flatMap(({ file }) => keysIn(file)).map((key) => partOf.get(key)))
      return spoken.filter((part) => !used.has(part)).map((part) => `${file}: ${part}`)
    })
    expect(idle).toEqual([])
  })
})

it('signing in has its icons, and no others', () => {
  const shown = reach(SIGNING_IN, []).filter(({ file }) => !FEATURE_INDEX.test(file)).map(({ file }) => SOURCES.get(file)?.text ?? '')
  const named = new Set(shown.flatMap((text) => [...text.matchAll(/\bi-lucide-([a-z0-9-]+)/g)].map(([, name]) => name)))
  expect([...named, 'loader-circle'].sort()).toEqual([...START_ICONS].sort())
})
