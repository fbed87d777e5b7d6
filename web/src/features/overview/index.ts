import type { Feature } from '@/app/feature'
import { speaking } from '@/i18n'

export const feature: Feature = {
  routes: [{ path: '', name: 'overview', component: speaking(() => import('./OverviewPage.vue'), 'overview', 'credentials.words', 'history'), meta: { title: 'overview.title', needs: 'credentials:read' } }],
  navigation: [{ section: 'home', label: 'overview.title', icon: 'i-lucide-layout-dashboard', to: 'overview', needs: 'credentials:read', key: 'o' }],
  touchedBy: ({ event }) => [
    ...(/^(?:api|account|batch|capacity|group)\./.test(event) ? [['overview', 'now']] : []),
    // These change no figure, but they are told.
    ...(/^(?:rule|strategy)\./.test(event) ? [['overview', 'now', 'events']] : []),
    ...(event === 'settings.changed' ? [['overview', 'thresholds']] : []),
  ],
}
