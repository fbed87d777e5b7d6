import { createRouter, createWebHistory, type RouteLocationNormalized } from 'vue-router'
import type { Permission } from '@/api/session'
import { speaking, type TextKey } from '@/i18n'
import { expectsSession, session } from '@/session'
import { FEATURES } from './features'
import { safeReturn } from './safeReturn'

declare module 'vue-router' {
  interface RouteMeta {
    title?: TextKey
    /** Open to people who are not signed in. */
    open?: boolean
    /** Who lacks it is told so instead of seeing the page. */
    needs?: Permission
  }
}

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    {
      path: '/sign-in',
      name: 'sign-in',
      component: () => import('@/features/session/SignInPage.vue'),
      meta: { title: 'session.title', open: true },
    },
    {
      path: '/',
      component: speaking(() => import('@/components/shell/AppShell.vue'), 'frame'),
      children: [
        ...FEATURES.flatMap(({ routes }) => routes),
        {
          path: ':lost(.*)*',
          name: 'lost',
          component: () => import('@/components/LostPage.vue'),
          meta: { title: 'common.lost.title' },
        },
      ],
    },
  ],
})

/** Starts what the router would ask for later; what fails here fails there again, and is dealt with. */
function loadAhead({ matched }: RouteLocationNormalized): void {
  for (const component of matched.flatMap(({ components }) => Object.values(components ?? {}))) {
    if (typeof component === 'function') (component as () => Promise<unknown>)().catch(() => undefined)
  }
}

let asked = false

router.beforeEach(async (to) => {
  if (!asked) {
    asked = true
    if (expectsSession()) loadAhead(to)
    if (!session.isSignedIn.value) await session.renew()
  }
  if (session.isSignedIn.value) return to.name === 'sign-in' ? safeReturn(to.query.next) : true
  if (to.meta.open) return true
  return { name: 'sign-in', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
})
