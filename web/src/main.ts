import nuxtUi from '@nuxt/ui/vue-plugin'
import { VueQueryPlugin } from '@tanstack/vue-query'
import { createApp, watch } from 'vue'
import App from './App.vue'
import { detailTitle } from './app/detailTitle'
import { reloadWhenOutdated } from './app/freshCode'
import { createQueries } from './app/query'
import { router } from './app/router'
import { followTheme } from './app/theme'
import { i18n, initialLocale, showLocale, translate } from './i18n'
import { followEvents } from './live'
import { session } from './session'
import './main.css'

const queryClient = createQueries()
const app = createApp(App)

// Who is here is asked while the texts come.
void session.renew()
followTheme()
reloadWhenOutdated(router)
await showLocale(initialLocale())

watch(session.isSignedIn, (signedIn) => {
  if (signedIn) return
  queryClient.clear()
  const here = router.currentRoute.value
  const next = session.endedBecause.value === 'expired' ? { next: here.fullPath } : {}
  if (!here.meta.open) void router.replace({ name: 'sign-in', query: next })
})

watch([() => router.currentRoute.value.meta.title, i18n.global.locale, detailTitle], ([title, , detail]) => {
  const page = detail ?? (title === undefined ? null : translate(title))
  document.title = [page, translate('common.app')].filter((part) => part !== null).join(' · ')
})

followEvents(queryClient)

app.use(i18n).use(router).use(VueQueryPlugin, { queryClient }).use(nuxtUi).mount('#app')
