import { computed, reactive, shallowRef, watch } from 'vue'
import { asProblem } from '@/api/problem'
import { getSettings, updateSettings, type Setting, type Settings, type SettingsChange } from '@/api/settings'
import { useAction } from '@/lib/useAction'
import { changesOf, clashes, draftOf, hasChanges, sectionOf, wayBack, wrongIn } from './draft'

const TOUCHES = [['settings'], ['strategies'], ['accounts'], ['overview']]
const TRIES = 3

/**
 * A section of the settings while it is edited. Somebody else's change to other settings is no conflict: the section is
 * saved beside it. One to the same setting is, and then the person chooses.
 */
export function useSection(prefix: string, newest: () => Settings) {
  /** What the person saw when they began. */
  const seen = shallowRef(newest())
  const settings = computed(() => sectionOf(seen.value, prefix))
  const draft = reactive<Record<string, string | null>>(draftOf(settings.value))
  const theirs = shallowRef<Settings | null>(null)
  const change = computed(() => changesOf(settings.value, draft))
  const isChanged = computed(() => hasChanges(change.value))

  function show(now: Settings) {
    seen.value = now
    theirs.value = null
    Object.assign(draft, draftOf(sectionOf(now, prefix)))
  }

  watch(newest, (now) => {
    if (!isChanged.value) show(now)
  })

  const { run, busy, problem, forget } = useAction(TOUCHES, async (version: number, wanted: SettingsChange) => {
    let at = version
    for (let again = TRIES; ; again -= 1) {
      try {
        return await updateSettings(at, wanted)
      } catch (error) {
        if (asProblem(error).code !== 'stale') throw error
        const now = await getSettings()
        if (again === 1 || clashes(settings.value, now.settings, wanted).length > 0) {
          theirs.value = now
          return undefined
        }
        at = now.version
      }
    }
  })

  /** The way back, when it was saved. */
  async function save(version = seen.value.version): Promise<(() => Promise<Settings>) | undefined> {
    const wanted = change.value
    const back = wayBack(theirs.value?.settings ?? settings.value, wanted)
    const saved = await run(version, wanted)
    if (saved === undefined) return undefined
    show(saved)
    return () => updateSettings(saved.version, back)
  }

  /** A value that is typed like the default, where nobody has set another, is still nobody's. */
  function set({ key, source, default: standard }: Setting, text: string | null) {
    draft[key] = source === 'default' && text === String(standard) ? null : text
  }

  function discard() {
    forget()
    show(newest())
  }

  return { settings, draft, theirs, change, isChanged, wrong: computed(() => wrongIn(settings.value, draft)), busy, problem, save, set, discard, show }
}
