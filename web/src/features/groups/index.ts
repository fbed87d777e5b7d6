import type { Feature } from '@/app/feature'

export const feature: Feature = {
  routes: [{ path: 'groups', name: 'groups', component: () => import('./GroupsPage.vue'), meta: { title: 'groups.title', needs: 'credentials:read' } }],
  navigation: [{ section: 'pool', label: 'groups.title', icon: 'i-lucide-folders', to: 'groups', needs: 'credentials:read', key: 'g' }],
  touchedBy: ({ event }) => (/^(?:group|batch|api\.(?:added|updated|removed))/.test(event) ? [['groups']] : []),
}
