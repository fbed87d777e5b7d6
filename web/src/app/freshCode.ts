import type { Router } from 'vue-router'

const REPEAT_MS = 60_000
const KEY = 'api-pool.reloaded-at'

/**
 * After an upgrade the server no longer has the pieces that an open page would load next. The page is then loaded anew
 * at where it was going; once, so that a server in trouble isn't asked for ever.
 */
export function reloadWhenOutdated(router: Router): void {
  let pieceMissing = false
  window.addEventListener('vite:preloadError', () => (pieceMissing = true))
  router.onError((_error, to) => {
    if (!pieceMissing || Date.now() - Number(sessionStorage.getItem(KEY) ?? 0) < REPEAT_MS) return
    sessionStorage.setItem(KEY, String(Date.now()))
    window.location.assign(to.fullPath)
  })
}
