/**
 * Stands in for the icon library's own entry (see vite.config.ts): it draws what the build has bundled and has no code
 * to ask anybody for an icon that is missing.
 */
import { addIcon as keep, Icon, type IconifyIcon } from '@iconify/vue/offline'

export { Icon }

const known = new Set<string>()

/** Icons are named `lucide:copy` by the bundle and `lucide-copy` by those who use them. */
export function addIcon(name: string, icon: IconifyIcon): void {
  for (const spelling of [name, name.replace(':', '-')]) {
    keep(spelling, icon)
    known.add(spelling)
  }
}

/** Lucide's, as scripts/icons.ts has put them beside what shows them. */
export function addIcons(bodies: Record<string, string>): void {
  for (const [name, body] of Object.entries(bodies)) addIcon(`lucide:${name}`, { body, width: 24, height: 24 })
}

export function iconLoaded(name: string): boolean {
  return known.has(name)
}
