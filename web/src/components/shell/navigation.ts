import { computed } from 'vue'
import { FEATURES } from '@/app/features'
import { usePermissions } from '@/session/useMe'

/** What the sidebar and the palette offer to this person, in order. */
export function useNavigation() {
  const { can } = usePermissions()
  return {
    entries: computed(() => FEATURES.flatMap(({ navigation }) => navigation ?? []).filter(({ needs }) => can(needs))),
    commands: computed(() => FEATURES.flatMap(({ commands }) => commands ?? []).filter(({ needs }) => can(needs))),
  }
}
