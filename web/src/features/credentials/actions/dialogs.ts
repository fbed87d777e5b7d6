import { defineAsyncComponent } from 'vue'

/** What can be asked about one credential. Each is loaded when it is opened. */
export const DIALOGS = {
  edit: defineAsyncComponent(() => import('../form/EditDialog.vue')),
  decide: defineAsyncComponent(() => import('./DecisionDialog.vue')),
  ban: defineAsyncComponent(() => import('./BanDialog.vue')),
  release: defineAsyncComponent(() => import('./ReleaseDialog.vue')),
  remove: defineAsyncComponent(() => import('./DeleteDialog.vue')),
  reveal: defineAsyncComponent(() => import('./RevealDialog.vue')),
}

export type Ask = 'edit' | 'disable' | 'unban' | 'reset' | 'ban' | 'release' | 'remove' | 'reveal'

/** What a change of a credential puts out of date. */
export const TOUCHES = [['credentials'], ['accounts'], ['groups'], ['history'], ['overview']] as const
