import type { Feature } from '@/app/feature'
import { speaking } from '@/i18n'

export const feature: Feature = {
  routes: [
    {
      path: 'credentials',
      name: 'credentials',
      component: speaking(() => import('./CredentialsPage.vue'), 'credentials', 'credentials.words'),
      meta: { title: 'credentials.title', needs: 'credentials:read' },
      // The detail stands beside its list, which stays as it is.
      children: [{ path: ':id', name: 'credential', component: speaking(() => import('./CredentialPanel.vue'), 'credentials', 'credentials.words', 'credentials.panel', 'credentials.forms'), meta: { title: 'credentials.detail' } }],
    },
    {
      path: 'import',
      name: 'import',
      component: speaking(() => import('./import/ImportPage.vue'), 'credentials.import', 'credentials.forms'),
      meta: { title: 'credentials.import.title', needs: 'credentials:write' },
    },
  ],
  navigation: [{ section: 'pool', label: 'credentials.title', icon: 'i-lucide-key-round', to: 'credentials', needs: 'credentials:read', key: 'c' }],
  commands: [{ label: 'credentials.import.title', icon: 'i-lucide-file-up', to: { name: 'import' }, needs: 'credentials:write' }],
  touchedBy: ({ event }) => (/^(?:api|account|batch|group)\./.test(event) ? [['credentials']] : []),
}
