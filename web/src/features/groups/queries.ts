import { listGroups } from '@/api/groups'
import { useList } from '@/lib/useList'
import type { ListPlace } from '@/lib/useListPlace'
import { PAGE_SIZE } from './list'

export function useGroupList(place: ListPlace) {
  return useList({ key: ['groups', 'list'], state: place.state, limit: PAGE_SIZE, ask: listGroups })
}
