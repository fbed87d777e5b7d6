import ui from '@nuxt/ui/runtime/locale/zh_tw.js'
import credentials from '@/features/credentials/texts/zh-TW.json'
import session from '@/features/session/texts/zh-TW.json'
import common from '../texts/zh-TW.json'
import type { Messages } from '..'

export const messages: Messages = { common, session, credentials }
export { ui }
