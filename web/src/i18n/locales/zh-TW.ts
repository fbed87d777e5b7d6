import ui from '@nuxt/ui/runtime/locale/zh_tw.js'
import session from '@/features/session/texts/zh-TW.json'
import common from '../texts/zh-TW.json'
import type { Messages } from '..'

/** What signing in needs. */
export const messages: Pick<Messages, 'common' | 'session'> = { common, session }
export { ui }
