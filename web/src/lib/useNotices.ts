import { useToast } from '@nuxt/ui/composables'
import { useQueryClient } from '@tanstack/vue-query'
import { asProblem } from '@/api/problem'
import { problemText } from '@/components/problemTexts'
import { useText } from '@/i18n'
import { noteOwnChange } from './ownChanges'

/** How long a way back is offered. */
const UNDO_MS = 12_000

/** Short notices at the edge of the page: what was done, with a way back where there is one, and what failed. */
export function useNotices() {
  const toasts = useToast()
  const queries = useQueryClient()
  const { t } = useText()

  function failed(error: unknown) {
    const problem = asProblem(error)
    const text = problemText(problem)
    const id = problem.requestId === null ? '' : ` ${t('common.requestId')} ${problem.requestId}`
    toasts.add({ title: t(text.title), description: `${problem.message !== '' ? problem.message : t(text.hint)}${id}`, color: 'error', icon: 'i-lucide-triangle-alert', duration: 0 })
  }

  /** `undo` is offered for a while; it is run once. */
  function done(title: string, undo?: () => Promise<unknown>) {
    let used = false
    const takeBack = async () => {
      if (used || undo === undefined) return
      used = true
      try {
        await undo()
        toasts.add({ title: t('common.undone'), color: 'neutral', icon: 'i-lucide-undo-2' })
      } catch (error) {
        failed(error)
      } finally {
        // Whatever it was, and however far it came: what is shown is asked for again.
        noteOwnChange()
        void queries.invalidateQueries()
      }
    }
    toasts.add({
      title,
      color: 'success',
      icon: 'i-lucide-check',
      ...(undo !== undefined && { duration: UNDO_MS, actions: [{ label: t('common.undo'), color: 'neutral', variant: 'outline', onClick: () => void takeBack() }] }),
    })
  }

  /** Nothing failed, but it is not as the person wanted it. */
  function warn(title: string) {
    toasts.add({ title, color: 'warning', icon: 'i-lucide-git-compare-arrows', duration: UNDO_MS })
  }

  return { done, failed, warn }
}
