// Writes the component themes that the type checker reads (node_modules/.nuxt-ui), as a build would.
import { resolveConfig } from 'vite'

await resolveConfig({ logLevel: 'warn' }, 'build')
