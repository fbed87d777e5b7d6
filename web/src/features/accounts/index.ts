import type { Feature } from '@/app/feature'
import { speaking } from '@/i18n'

export const feature: Feature = {
  routes: [
    {
      path: 'accounts',
      name: 'accounts',
      component: speaking(() => import('./AccountsPage.vue'), 'accounts', 'accounts.words', 'credentials.words'),
      meta: { title: 'accounts.title', needs: 'credentials:read' },
      children: [{ path: ':account', name: 'account', component: speaking(() => import('./AccountPanel.vue'), 'accounts', 'accounts.words', 'credentials.words', 'history'), meta: { title: 'accounts.detail', needs: 'pool:account' } }],
    },
    {
      path: 'preview',
      name: 'preview',
      component: speaking(() => import('./PreviewPage.vue'), 'accounts', 'accounts.words', 'credentials.words'),
      meta: { title: 'accounts.preview.title', needs: 'pool:allocate' },
    },
  ],
  navigation: [
    { section: 'pool', label: 'accounts.title', icon: 'i-lucide-users-round', to: 'accounts', needs: 'credentials:read', key: 'a' },
    { section: 'pool', label: 'accounts.preview.title', icon: 'i-lucide-list-ordered', to: 'preview', needs: 'pool:allocate', key: 'p' },
  ],
  touchedBy: ({ event }) => (/^(?:api|account|batch|rule|strategy|group)\./.test(event) ? [['accounts']] : []),
}
