import { ref } from 'vue'
import { undoImport } from '@/api/credentials'
import { useText } from '@/i18n'
import { useAction } from '@/lib/useAction'
import { useFormat } from '@/lib/useFormat'
import { useNotices } from '@/lib/useNotices'
import { TOUCHES } from '../actions/dialogs'

/** Takes a whole batch back, from the page or from its notice; either knows of the other. */
export function useUndo(batchId: string) {
  const { t } = useText()
  const format = useFormat()
  const notices = useNotices()
  /** How many it took out again; null while it stands. */
  const removed = ref<number | null>(null)

  async function takeBack() {
    const undone = await undoImport(batchId)
    removed.value = undone.removed
    return undone
  }

  const action = useAction(TOUCHES, takeBack)

  return {
    ...action,
    removed,
    /** From a notice, which tells by itself what went wrong. */
    takeBack,
    run: async () => {
      const undone = await action.run()
      if (undone !== undefined) notices.done(t('credentials.import.undone', { n: format.count(undone.removed) }, undone.removed))
    },
  }
}
