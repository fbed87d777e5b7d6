import { defineShortcuts } from '@nuxt/ui/composables'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'

/** Marks a detail beside its list, which is a dialog and yet a page. */
export const DETAIL_CLASS = 'page-detail'

/** Dialogs, menus and lists to choose from. */
const OPEN = ':is([role=dialog], [role=alertdialog], [role=menu], [role=listbox])[data-state=open]'

/** Keys of a page: they do nothing while something stands over it, whose letters are its own. */
export function definePageShortcuts(keys: MaybeRefOrGetter<Record<string, () => void>>): void {
  const isCovered = () => document.querySelector(`${OPEN}:not(.${DETAIL_CLASS})`) !== null
  defineShortcuts(
    computed(() => Object.fromEntries(Object.entries(toValue(keys)).map(([key, act]) => [key, () => void (isCovered() || act())]))),
  )
}
