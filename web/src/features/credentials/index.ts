import type { Feature } from '@/app/feature'

export const feature: Feature = {
  routes: [
    {
      path: 'credentials',
      name: 'credentials',
      component: () => import('./CredentialsPage.vue'),
      meta: { title: 'credentials.title', needs: 'credentials:read' },
      // The detail stands beside its list, which stays as it is.
      children: [{ path: ':id', name: 'credential', component: () => import('./CredentialPanel.vue'), meta: { title: 'credentials.detail' } }],
    },
    {
      path: 'import',
      name: 'import',
      component: () => import('./import/ImportPage.vue'),
      meta: { title: 'credentials.import.title', needs: 'credentials:write' },
    },
  ],
  navigation: [{ section: 'pool', label: 'credentials.title', icon: 'i-lucide-key-round', to: 'credentials', needs: 'credentials:read', key: 'c' }],
  commands: [{ label: 'credentials.import.title', icon: 'i-lucide-file-up', to: { name: 'import' }, needs: 'credentials:write' }],
  touchedBy: ({ event }) => (/^(?:api|account|batch|group)\./.test(event) ? [['credentials']] : []),
}
