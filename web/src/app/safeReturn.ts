/** Where to go after signing in: a path of these pages, whatever the address claims. */
export function safeReturn(next: unknown): string {
  const path = Array.isArray(next) ? next[0] : next
  if (typeof path !== 'string' || !/^\/(?![/\\])/.test(path) || path.startsWith('/sign-in')) return '/'
  return path
}
