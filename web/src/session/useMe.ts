import { useQuery } from '@tanstack/vue-query'
import { getMe, type Permission } from '@/api/session'
import { session } from './index'

/** Who is signed in, with what they may do. */
export function useMe() {
  return useQuery({ queryKey: ['me'], queryFn: ({ signal }) => getMe(signal), staleTime: 60_000, enabled: session.isSignedIn })
}

/**
 * What the person may do, for leaving out what would be refused. The server decides; until it has said, nothing is
 * offered.
 */
export function usePermissions() {
  const { data } = useMe()
  return {
    can: (permission: Permission | undefined) => permission === undefined || data.value?.permissions.includes(permission) === true,
  }
}
