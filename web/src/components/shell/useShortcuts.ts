import { defineShortcuts } from '@nuxt/ui/composables'
import { computed, ref } from 'vue'
import { useRouter } from 'vue-router'
import { useNavigation } from './navigation'

/** The keys that work on every page. Those of one page stand with that page. */
export function useShortcuts() {
  const router = useRouter()
  const { entries } = useNavigation()
  const paletteOpen = ref(false)
  const helpOpen = ref(false)

  defineShortcuts(
    computed(() => ({
      meta_k: { usingInput: true, handler: () => (paletteOpen.value = !paletteOpen.value) },
      '?': () => (helpOpen.value = true),
      ...Object.fromEntries(entries.value.flatMap(({ key, to }) => (key === undefined ? [] : [[`g-${key}`, () => void router.push({ name: to })]]))),
    })),
  )
  return { paletteOpen, helpOpen }
}
