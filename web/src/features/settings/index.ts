import type { Feature } from '@/app/feature'
import { speaking } from '@/i18n'

export const feature: Feature = {
  routes: [
    {
      path: 'settings',
      component: () => import('./SettingsFrame.vue'),
      meta: { title: 'settings.title' },
      children: [
        { path: '', name: 'settings', component: speaking(() => import('./pool/PoolSettings.vue'), 'settings', 'settings.words'), meta: { title: 'settings.pool.title' } },
        { path: 'users', name: 'users', component: speaking(() => import('./users/UsersPage.vue'), 'settings'), meta: { title: 'settings.users.title', needs: 'users:read' } },
        { path: 'roles', name: 'roles', component: speaking(() => import('./users/RolesPage.vue'), 'settings'), meta: { title: 'settings.roles.title' } },
        { path: 'tokens', name: 'tokens', component: speaking(() => import('./tokens/TokensPage.vue'), 'settings'), meta: { title: 'settings.tokens.title', needs: 'tokens:read' } },
        { path: 'you', name: 'you', component: speaking(() => import('./you/YouPage.vue'), 'settings'), meta: { title: 'settings.you.title' } },
        { path: 'about', name: 'about', component: speaking(() => import('./AboutPage.vue'), 'settings'), meta: { title: 'settings.about.title' } },
      ],
    },
  ],
  navigation: [{ section: 'organisation', label: 'settings.title', icon: 'i-lucide-settings', to: 'settings', key: 's' }],
  commands: [
    { label: 'settings.users.title', icon: 'i-lucide-users', to: { name: 'users' }, needs: 'users:read' },
    { label: 'settings.tokens.title', icon: 'i-lucide-ticket', to: { name: 'tokens' }, needs: 'tokens:read' },
    { label: 'settings.you.title', icon: 'i-lucide-circle-user-round', to: { name: 'you' } },
    { label: 'settings.about.title', icon: 'i-lucide-info', to: { name: 'about' } },
  ],
  touchedBy: ({ event }) => [
    ...(/^(?:settings|strategy)\./.test(event) ? [['settings']] : []),
    ...(/^(?:user|session)\./.test(event) ? [['users'], ['me']] : []),
    ...(/^token\./.test(event) ? [['tokens']] : []),
  ],
}
