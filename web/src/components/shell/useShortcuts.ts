import { defineShortcuts } from '@nuxt/ui/composables'
import { ref } from 'vue'
import { useRouter } from 'vue-router'
import { definePageShortcuts } from '@/lib/pageShortcuts'
import { useNavigation } from './navigation'

/** The keys that work on every page. Those of one page stand with that page. */
export function useShortcuts() {
  const router = useRouter()
  const { entries } = useNavigation()
  const paletteOpen = ref(false)
  const helpOpen = ref(false)

  defineShortcuts({ meta_k: { usingInput: true, handler: () => (paletteOpen.value = !paletteOpen.value) } })
  definePageShortcuts(() => ({
    '?': () => (helpOpen.value = true),
    ...Object.fromEntries(entries.value.flatMap(({ key, to }) => (key === undefined ? [] : [[`g-${key}`, () => void router.push({ name: to })]]))),
  }))
  return { paletteOpen, helpOpen }
}
