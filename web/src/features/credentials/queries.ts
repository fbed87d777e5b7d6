import { listCredentials } from '@/api/credentials'
import { useList } from '@/lib/useList'
import type { ListPlace } from '@/lib/useListPlace'
import { PAGE_SIZE } from './list'

export function useCredentialList(place: ListPlace) {
  return useList({ key: ['credentials', 'list'], state: place.state, limit: PAGE_SIZE, ask: listCredentials })
}
