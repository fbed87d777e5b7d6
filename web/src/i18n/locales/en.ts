import ui from '@nuxt/ui/runtime/locale/en.js'
import session from '@/features/session/texts/en.json'
import common from '../texts/en.json'

/** What signing in needs. */
export const messages = { common, session }
export { ui }
