import type { Feature } from '@/app/feature'

export const feature: Feature = {
  routes: [
    {
      path: 'settings',
      component: () => import('./SettingsFrame.vue'),
      meta: { title: 'settings.title' },
      children: [
        { path: '', name: 'settings', component: () => import('./pool/PoolSettings.vue'), meta: { title: 'settings.pool.title' } },
        { path: 'users', name: 'users', component: () => import('./users/UsersPage.vue'), meta: { title: 'settings.users.title', needs: 'users:read' } },
        { path: 'roles', name: 'roles', component: () => import('./users/RolesPage.vue'), meta: { title: 'settings.roles.title' } },
        { path: 'tokens', name: 'tokens', component: () => import('./tokens/TokensPage.vue'), meta: { title: 'settings.tokens.title', needs: 'tokens:read' } },
        { path: 'you', name: 'you', component: () => import('./you/YouPage.vue'), meta: { title: 'settings.you.title' } },
        { path: 'about', name: 'about', component: () => import('./AboutPage.vue'), meta: { title: 'settings.about.title' } },
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
