import ui from '@nuxt/ui/runtime/locale/en.js'
import credentials from '@/features/credentials/texts/en.json'
import session from '@/features/session/texts/en.json'
import common from '../texts/en.json'

export const messages = { common, session, credentials }
export { ui }
