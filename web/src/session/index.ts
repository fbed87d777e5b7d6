import { watch } from 'vue'
import { createRenewal, rememberSession } from './renewal'

export { expectsSession } from './renewal'
import { createSession } from './session'

export const session = createSession(createRenewal((...call) => fetch(...call)))

watch(session.isSignedIn, rememberSession, { flush: 'sync' })
