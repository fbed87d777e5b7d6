import type { Feature } from '@/app/feature'
import { speaking } from '@/i18n'

export const feature: Feature = {
  routes: [
    { path: 'history', name: 'history', component: speaking(() => import('./HistoryPage.vue'), 'history', 'accounts.words', 'credentials.words'), meta: { title: 'history.title', needs: 'credentials:read' } },
    { path: 'audit', name: 'audit', component: speaking(() => import('./AuditPage.vue'), 'history', 'accounts.words', 'credentials.words'), meta: { title: 'history.audit.title', needs: 'audit:read' } },
  ],
  navigation: [
    { section: 'records', label: 'history.title', icon: 'i-lucide-history', to: 'history', needs: 'credentials:read', key: 'h' },
    { section: 'records', label: 'history.audit.title', icon: 'i-lucide-scroll-text', to: 'audit', needs: 'audit:read', key: 'u' },
  ],
  // Everything that happens is a row of the journal.
  touchedBy: () => [['history']],
}
