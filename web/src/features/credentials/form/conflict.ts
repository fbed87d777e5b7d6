import type { Credential, CredentialChange } from '@/api/credentials'
import type { Field } from './fields'

/** How a value is told to people; secrets only as new, kept or removed. */
export type Tell = (field: Field, value: unknown, of: 'theirs' | 'mine') => string

export interface Difference {
  field: Field
  theirs: string
  mine: string
}

/** My changes beside the newest version, where they differ from it. What I didn't touch stays theirs whatever I choose. */
export function differences(changes: CredentialChange, newest: Credential, tell: Tell): Difference[] {
  return (Object.keys(changes) as Field[]).flatMap((field) => {
    const [theirs, mine] = [tell(field, stored(newest, field), 'theirs'), tell(field, changes[field], 'mine')]
    return theirs === mine ? [] : [{ field, theirs, mine }]
  })
}

/** What they changed and I did not: it stays theirs. */
export function onlyTheirs(changes: CredentialChange, seen: Credential, newest: Credential): Field[] {
  const fields: Field[] = ['name', 'max_accounts', 'group_id', 'priority', 'is_premium', 'min_member_level', 'tags', 'note', 'api_hash', 'source_phone']
  return fields.filter((field) => !(field in changes) && JSON.stringify(stored(seen, field)) !== JSON.stringify(stored(newest, field)))
}

function stored(credential: Credential, field: Field): unknown {
  if (field === 'api_hash') return credential.api_hash_masked
  if (field === 'source_phone') return credential.source_phone_masked
  return credential[field]
}
