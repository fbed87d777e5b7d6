// Runs before the first paint, so that no page flashes in the wrong theme. The rest of theme and language is in src/app.
;(function () {
  var theme = null
  try {
    theme = localStorage.getItem('api-pool.theme')
  } catch (_) {
    // Storage may be refused; the system's preference decides then.
  }
  var dark = theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.classList.add(dark ? 'dark' : 'light')
})()
