import type { Feature } from '@/app/feature'
import { speaking } from '@/i18n'

export const feature: Feature = {
  routes: [{ path: 'groups', name: 'groups', component: speaking(() => import('./GroupsPage.vue'), 'groups', 'settings.words'), meta: { title: 'groups.title', needs: 'credentials:read' } }],
  navigation: [{ section: 'pool', label: 'groups.title', icon: 'i-lucide-folders', to: 'groups', needs: 'credentials:read', key: 'g' }],
  touchedBy: ({ event }) => (/^(?:group|batch|api\.(?:added|updated|removed))/.test(event) ? [['groups']] : []),
}
