import { renewal } from './renewal'
import { createSession } from './session'

export const session = createSession(renewal)
