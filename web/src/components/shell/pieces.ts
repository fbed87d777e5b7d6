import { defineAsyncComponent } from 'vue'

/** What the frame loads when it is asked for, not before. */
export const CommandPalette = defineAsyncComponent(() => import('./CommandPalette.vue'))
export const HelpSheet = defineAsyncComponent(() => import('./HelpSheet.vue'))
