import type accounts from '@/features/accounts/texts/en.json'
import type accountsWords from '@/features/accounts/texts/words.en.json'
import type credentials from '@/features/credentials/texts/en.json'
import type credentialsWords from '@/features/credentials/texts/words.en.json'
import type credentialsPanel from '@/features/credentials/texts/panel.en.json'
import type credentialsForms from '@/features/credentials/texts/forms.en.json'
import type credentialsImport from '@/features/credentials/texts/import.en.json'
import type credentialsBulk from '@/features/credentials/texts/bulk.en.json'
import type credentialsExport from '@/features/credentials/texts/export.en.json'
import type groups from '@/features/groups/texts/en.json'
import type history from '@/features/history/texts/en.json'
import type overview from '@/features/overview/texts/en.json'
import type rules from '@/features/rules/texts/en.json'
import type settings from '@/features/settings/texts/en.json'
import type settingsWords from '@/features/settings/texts/words.en.json'
import type { messages as frame } from './frame/en'
import type { Locale } from './locale'
import type { messages as start } from './locales/en'

/** The texts that are loaded with what shows them: a feature's own (`texts/en.json`) and parts of it (`texts/words.en.json`). */
interface Parts {
  accounts: typeof accounts
  'accounts.words': typeof accountsWords
  credentials: typeof credentials
  'credentials.words': typeof credentialsWords
  'credentials.panel': typeof credentialsPanel
  'credentials.forms': typeof credentialsForms
  'credentials.import': typeof credentialsImport
  'credentials.bulk': typeof credentialsBulk
  'credentials.export': typeof credentialsExport
  groups: typeof groups
  history: typeof history
  overview: typeof overview
  rules: typeof rules
  settings: typeof settings
  'settings.words': typeof settingsWords
}

export type TextPart = keyof Parts

type FeatureOf<Part> = Part extends `${infer Feature}.${string}` ? Feature : Part
type All<Union> = (Union extends unknown ? (of: Union) => void : never) extends (of: infer Each) => void ? Each : never

export type Messages = typeof start & typeof frame & { [Feature in FeatureOf<TextPart>]: All<Parts[TextPart & (Feature | `${Feature}.${string}`)]> }

const FILES = import.meta.glob<object>(['../features/*/texts/*.json', '!../features/session/**', '!**/titles.*'], { import: 'default' })

/** The texts of a part, below its feature's name as the keys have it. */
export async function loadPart(part: TextPart, locale: Locale): Promise<object> {
  const [feature = '', name] = part.split('.')
  const file = `../features/${feature}/texts/${name === undefined ? '' : `${name}.`}${locale}.json`
  const load = FILES[file]
  if (load === undefined) throw new Error(`no texts in ${file}`)
  return { [feature]: await load() }
}
