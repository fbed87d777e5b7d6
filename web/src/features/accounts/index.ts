import type { Feature } from '@/app/feature'

export const feature: Feature = {
  routes: [
    {
      path: 'accounts',
      name: 'accounts',
      component: () => import('./AccountsPage.vue'),
      meta: { title: 'accounts.title', needs: 'credentials:read' },
      children: [{ path: ':account', name: 'account', component: () => import('./AccountPanel.vue'), meta: { title: 'accounts.detail', needs: 'pool:account' } }],
    },
    {
      path: 'preview',
      name: 'preview',
      component: () => import('./PreviewPage.vue'),
      meta: { title: 'accounts.preview.title', needs: 'pool:allocate' },
    },
  ],
  navigation: [
    { section: 'pool', label: 'accounts.title', icon: 'i-lucide-users-round', to: 'accounts', needs: 'credentials:read', key: 'a' },
    { section: 'pool', label: 'accounts.preview.title', icon: 'i-lucide-list-ordered', to: 'preview', needs: 'pool:allocate', key: 'p' },
  ],
  touchedBy: ({ event }) => (/^(?:api|account|rule|strategy|group)\./.test(event) ? [['accounts']] : []),
}
