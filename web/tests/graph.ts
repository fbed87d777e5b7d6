import { dirname, posix } from 'node:path'
import { filesUnder, read } from './files'

/** A loading on demand, and what comes with it: `speaking(() => import('./BulkBar.vue'), 'credentials.bulk')`. */
interface Later {
  file: string
  parts: readonly string[]
}

interface Source {
  text: string
  imports: readonly string[]
  later: readonly Later[]
}

const files = filesUnder('src', /(?<!\.test|\.d)\.(?:ts|vue)$/).map((path) => path.replaceAll('\\', '/'))
const known = new Set(files)

function resolve(from: string, to: string): string[] {
  const path = to.startsWith('@/') ? `src/${to.slice(2)}` : to.startsWith('.') ? posix.join(dirname(from), to) : ''
  return [path, `${path}.ts`, `${path}/index.ts`].filter((candidate) => known.has(candidate)).slice(0, 1)
}

function parse(file: string): Source {
  const text = read(file)
  const imports = [...text.matchAll(/^(?:import|export)\s(?!type\b)(?:[^'"]*?from\s+)?'([^']+)'/gm)].flatMap(([, to = '']) => resolve(file, to))
  const spoken = new Map<string, string[]>()
  for (const [, to = '', parts = ''] of text.matchAll(/speaking\(\s*\(\) => import\('([^']+)'\)((?:,\s*'[^']+')*)/g))
    spoken.set(to, [...parts.matchAll(/'([^']+)'/g)].map(([, part = '']) => part))
  const later = [...text.matchAll(/import\('([^']+)'\)/g)].flatMap(([, to = '']) => resolve(file, to).map((target) => ({ file: target, parts: spoken.get(to) ?? [] })))
  return { text, imports, later }
}

/** Every source, what it imports and what it loads when that is shown. */
export const SOURCES: ReadonlyMap<string, Source> = new Map(files.map((file) => [file, parse(file)]))

/** What the frame knows of a feature. What it loads from there are pages, which are looked at by themselves. */
export const FEATURE_INDEX = /^src\/features\/\w+\/index\.ts$/

/** Everything that may be shown after these files, with the parts of the texts that are loaded by then. */
export function reach(roots: readonly string[], parts: readonly string[], { lazy = true } = {}): { file: string; parts: ReadonlySet<string> }[] {
  const seen = new Map<string, { file: string; parts: ReadonlySet<string> }>()
  const visit = (file: string, given: ReadonlySet<string>) => {
    const key = [file, ...[...given].sort()].join(' ')
    const source = SOURCES.get(file)
    if (seen.has(key) || source === undefined) return
    seen.set(key, { file, parts: given })
    for (const next of source.imports) visit(next, given)
    if (!lazy || FEATURE_INDEX.test(file) || file.startsWith('src/i18n/') || file === 'src/app/router.ts') return
    for (const next of source.later) visit(next.file, new Set([...given, ...next.parts]))
  }
  for (const root of roots) visit(root, new Set(parts))
  return [...seen.values()]
}
