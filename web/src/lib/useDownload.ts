import { onScopeDispose, ref, shallowRef } from 'vue'
import { file } from '@/api/call'
import { asProblem, type Problem } from '@/api/problem'

/**
 * Takes a file as the server streams it. How much has come is told meanwhile, and it can be stopped; it stops when nobody
 * is left to tell. The browser keeps a large one on disk, not in memory.
 */
export function useDownload() {
  const bytes = ref<number | null>(null)
  const problem = shallowRef<Problem | null>(null)
  let stopping: AbortController | null = null

  /** Whether the whole of it came. */
  async function start(path: string, query: Record<string, string>, name: string): Promise<boolean> {
    if (stopping !== null) return false
    stopping = new AbortController()
    problem.value = null
    bytes.value = 0
    try {
      const response = await file(path, query, stopping.signal)
      const counting = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, out) {
          bytes.value = (bytes.value ?? 0) + chunk.byteLength
          out.enqueue(chunk)
        },
      })
      save(await new Response(response.body?.pipeThrough(counting), { headers: response.headers }).blob(), name)
      return true
    } catch (error) {
      if (!stopping.signal.aborted) problem.value = asProblem(error)
      return false
    } finally {
      bytes.value = null
      stopping = null
    }
  }

  const stop = () => stopping?.abort()
  onScopeDispose(stop)

  return { start, stop, bytes, problem }
}

/** Hands a file to the browser's downloads. */
export function save(content: Blob, name: string): void {
  const address = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // The browser reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}
