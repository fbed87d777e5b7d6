import { computed, reactive, ref, shallowRef, watch } from 'vue'
import { importCredentials, type ImportLater, type ImportReport, type ImportRequest } from '@/api/credentials'
import { getPoolHealth } from '@/api/pool'
import { Problem } from '@/api/problem'
import { newKey } from '@/lib/newKey'
import { useAction } from '@/lib/useAction'
import { TOUCHES } from '../actions/dialogs'
import type { Choice } from './columns'
import { gathered, type Report } from './report'
import { shapeOf, type FormatChoice } from './shape'
import { slicesOf } from './slices'
import { LARGEST_BYTES, lineStarts, sentBytes } from './text'

export interface Source {
  /** The file's name; null for what was pasted. */
  name: string | null
  text: string
  encoding: string
}

/** What an import came to: answered line by line, or on its way as a job. */
export type Outcome = { is: 'done'; batchId: string; report: Report } | { is: 'later'; batchId: string; jobId: string; totalBefore: number }

const SLOTS = /^\d+$/
const MOST_SLOTS = 100_000

/** From a source to a batch: what the person says of it, a look at every line, and then the import itself. */
export function useImport() {
  const source = shallowRef<Source | null>(null)
  const options = reactive({ format: 'auto' as FormatChoice, slots: '5', group: '' })
  const choices = ref<Record<string, Choice>>({})

  const text = computed(() => source.value?.text ?? '')
  const shape = computed(() => shapeOf(text.value, options.format, choices.value))
  const size = computed(() => ({ lines: lineStarts(text.value).length, bytes: sentBytes(text.value) }))
  const isTooLarge = computed(() => size.value.bytes > LARGEST_BYTES)
  const lacking = computed(() => {
    const { columns } = shape.value
    return columns.length === 0 ? [] : (['api_id', 'api_hash'] as const).filter((field) => !columns.some((column) => column.field === field))
  })
  const slotsAreFine = computed(() => SLOTS.test(options.slots.trim()) && Number(options.slots) >= 1 && Number(options.slots) <= MOST_SLOTS)
  const canLook = computed(() => text.value.trim() !== '' && !isTooLarge.value && lacking.value.length === 0 && slotsAreFine.value)

  const preview = shallowRef<Report | null>(null)
  const progress = ref({ done: 0, of: 1 })
  const outcome = shallowRef<Outcome | null>(null)
  /** One for what was looked at: sent again after a lost answer it imports nothing twice. */
  let key = newKey()
  let stopping: AbortController | null = null

  // Another source begins anew; another word about it makes the preview void.
  watch(source, () => {
    choices.value = {}
    outcome.value = null
  })
  watch([source, options, choices], forget, { deep: true })

  function forget() {
    stopping?.abort()
    preview.value = null
    key = newKey()
    look.forget()
    send.forget()
  }

  function request(part: { data: string } | { apis: unknown[] }): ImportRequest {
    return {
      ...part,
      ...('data' in part && { format: shape.value.format }),
      ...(Object.keys(choices.value).length > 0 && { columns: choices.value }),
      default_max_accounts: Number(options.slots),
      ...(options.group !== '' && { group_id: options.group }),
    } as ImportRequest
  }

  const look = useAction([], async () => {
    const { signal } = (stopping = new AbortController())
    const slices = slicesOf(text.value, shape.value.format, shape.value.hasHeader)
    const answers: { report: ImportReport; lineOf: (line: number) => number }[] = []
    progress.value = { done: 0, of: slices.length }
    for (const slice of slices) {
      const report = await importCredentials({ ...request(slice.source), dry_run: true })
      if (signal.aborted) return
      if (!('lines' in report)) throw new Problem('unreadable', 200, '')
      answers.push({ report, lineOf: slice.lineOf })
      progress.value = { done: answers.length, of: slices.length }
    }
    preview.value = gathered(answers)
  })

  const send = useAction(TOUCHES, async () => {
    const totalBefore = await poolSize()
    const answer = await importCredentials(request({ data: text.value }), key)
    outcome.value = isLater(answer)
      ? { is: 'later', batchId: answer.batch_id, jobId: answer.job_id, totalBefore }
      : { is: 'done', batchId: answer.batch_id ?? '', report: gathered([{ report: answer, lineOf: (line) => line }]) }
    return outcome.value
  })

  return {
    source,
    options,
    choices,
    shape,
    size,
    isTooLarge,
    lacking,
    slotsAreFine,
    canLook,
    preview,
    progress,
    outcome,
    look,
    send,
    stopLooking: forget,
    startAnew: () => (source.value = null),
  }
}

export type Import = ReturnType<typeof useImport>

/** How many credentials there are, exactly: a list's own total ends at ten thousand. */
export async function poolSize(signal?: AbortSignal): Promise<number> {
  const { total_apis: total } = await getPoolHealth(signal)
  return total
}

function isLater(answer: ImportReport | ImportLater): answer is ImportLater {
  return 'job_id' in answer
}
