import type { Page, PageRequest } from '@/api/call'

const LARGEST_PAGE = 500

/** Everything of a list that is known to be short. */
export async function allPages<Item>(ask: (query: PageRequest) => Promise<Page<Item>>): Promise<Item[]> {
  const items: Item[] = []
  let cursor: string | null = null
  do {
    const page: Page<Item> = await ask({ limit: LARGEST_PAGE, ...(cursor !== null && { cursor }) })
    items.push(...page.items)
    cursor = page.next_cursor ?? null
  } while (cursor !== null)
  return items
}
