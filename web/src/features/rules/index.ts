import type { Feature } from '@/app/feature'
import { speaking } from '@/i18n'

export const feature: Feature = {
  routes: [{ path: 'rules', name: 'rules', component: speaking(() => import('./RulesPage.vue'), 'rules', 'settings.words'), meta: { title: 'rules.title', needs: 'credentials:read' } }],
  navigation: [{ section: 'pool', label: 'rules.title', icon: 'i-lucide-scale', to: 'rules', needs: 'credentials:read', key: 'r' }],
  touchedBy: ({ event }) => (/^rule\./.test(event) ? [['rules']] : []),
}
