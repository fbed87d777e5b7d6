import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

/** What signing in shows; the last is the component library's own, for a busy button. tests/reach.test.ts compares. */
export const START_ICONS = ['check', 'copy', 'eye', 'eye-off', 'monitor', 'moon', 'rotate-cw', 'sun', 'triangle-alert', 'loader-circle']

const BUNDLE = 'virtual:nuxt-ui-icons'
const FRAME = 'src/components/shell/AppShell.vue'
/** Whose icons come with the files that name them. What the frame says of a feature is the frame's. */
const PAGES = /^src\/features\/(?!\w+\/index\.ts|session\/).*\.(?:vue|ts)$/

const namedIn = (text: string) => [...text.matchAll(/\bi-lucide-([a-z0-9-]+)/g)].map(([, name = '']) => name)

/**
 * The component library bundles every icon that is named anywhere into the entry. Here the entry keeps those of signing
 * in, the frame has what is used everywhere and what the library uses itself, and a page's come with the page.
 */
export function iconsWithTheirPages(root: string): Plugin {
  type Bodies = Record<string, string>
  let tell: (bodies: Bodies) => void
  const bundled = new Promise<Bodies>((resolve) => (tell = resolve))
  const start = new Set(START_ICONS)
  const [inPages, elsewhere, placed] = [new Set<string>(), new Set<string>(), new Set<string>()]

  const isOfPages = (name: string) => inPages.has(name) && !elsewhere.has(name) && !start.has(name)
  const adding = (bodies: Bodies, wanted: (name: string) => boolean) => {
    const chosen = Object.fromEntries(Object.entries(bodies).filter(([name]) => wanted(name)))
    for (const name of Object.keys(chosen)) placed.add(name)
    return Object.keys(chosen).length === 0 ? '' : `\nimport { addIcons } from '@/app/offlineIcons'\naddIcons(JSON.parse(${JSON.stringify(JSON.stringify(chosen))}))\n`
  }

  return {
    name: 'icons-with-their-pages',
    apply: 'build',
    enforce: 'post',
    buildStart() {
      for (const path of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })) {
        const file = `src/${path.replaceAll('\\', '/')}`
        if (!/(?<!\.test)\.(?:vue|ts)$/.test(file)) continue
        for (const name of namedIn(readFileSync(join(root, file), 'utf8'))) (PAGES.test(file) ? inPages : elsewhere).add(name)
      }
    },
    transform: {
      filter: { id: [/^virtual:nuxt-ui-icons$/, /\/src\/features\/.*\.(?:vue|ts)$/, /\/src\/components\/shell\/AppShell\.vue$/] },
      async handler(code, id) {
        if (id === BUNDLE) {
          const bodies = bodiesOf(code)
          tell(bodies)
          return { code: `export function init() {}${adding(bodies, (name) => start.has(name))}`, map: null }
        }
        const file = id.slice(root.length).replace(/^[/\\]/, '').replaceAll('\\', '/')
        const own = new Set(namedIn(code))
        const wanted = file === FRAME ? (name: string) => !start.has(name) && !isOfPages(name) : (name: string) => own.has(name) && isOfPages(name)
        if (file !== FRAME && (!PAGES.test(file) || own.size === 0)) return
        // Behind the code, so that its lines stay where they are.
        return { code: code + adding(await bundled, wanted), map: null }
      },
    },
    generateBundle(_options, bundle) {
      const missing = Object.values(bundle).flatMap((chunk) => (chunk.type === 'chunk' ? namedIn(chunk.code).filter((name) => !placed.has(name)) : []))
      if (missing.length > 0) this.error(`nobody brings the icons ${[...new Set(missing)].join(', ')}`)
    },
  }
}

/** The library's own module holds its collections as JSON. */
function bodiesOf(code: string): Record<string, string> {
  const [, text] = /const collections = JSON\.parse\(("(?:[^"\\]|\\.)*")\)/.exec(code) ?? []
  if (text === undefined) throw new Error(`${BUNDLE} no longer looks as it did`)
  const collections = JSON.parse(JSON.parse(text) as string) as { prefix: string; icons: Record<string, { body: string; width: number; height: number }> }[]
  for (const { prefix, icons } of collections)
    if (prefix !== 'lucide' || Object.values(icons).some(({ width, height }) => width !== 24 || height !== 24)) throw new Error(`${BUNDLE} has other icons than Lucide’s`)
  return Object.fromEntries(collections.flatMap(({ icons }) => Object.entries(icons).map(([name, { body }]) => [name, body])))
}
