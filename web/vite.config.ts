import { fileURLToPath, URL } from 'node:url'
import VueI18n from '@intlify/unplugin-vue-i18n/vite'
import ui from '@nuxt/ui/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'
import { iconsWithTheirPages } from './scripts/icons.ts'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/**
 * @nuxt/ui writes its palette into an inline <style>, which our content security policy refuses. The palette lives in
 * src/styles/palette.css instead; the writer and the head manager that only it needs are left out.
 */
function withoutInlinePalette(): Plugin {
  return {
    name: 'without-inline-palette',
    enforce: 'pre',
    load: {
      filter: { id: /@nuxt\/ui\/dist\/runtime\/(?:plugins\/colors|vue\/plugins\/head)\.js$/ },
      handler: () => 'export default { install() {} }',
    },
  }
}

/** The library's App would have its toaster in the entry; src/App.vue loads it when somebody is signed in. */
function withoutEarlyToaster(): Plugin {
  return {
    name: 'without-early-toaster',
    enforce: 'pre',
    resolveId: {
      filter: { id: /^\.\/Toaster\.vue$/ },
      handler: (_id, importer) => (/@nuxt\/ui\/dist\/runtime\/components\/App\.vue/.test(importer ?? '') ? '\0no-toaster' : undefined),
    },
    load: { filter: { id: /^\0no-toaster$/ }, handler: () => 'export default { render: () => null }' },
  }
}

export default defineConfig({
  resolve: {
    alias: [
      { find: '@', replacement: path('./src') },
      { find: /^@iconify\/vue$/, replacement: path('./src/app/offlineIcons.ts') },
    ],
  },
  plugins: [
    withoutInlinePalette(),
    withoutEarlyToaster(),
    iconsWithTheirPages(path('.')),
    vue(),
    ui({
      autoImport: false,
      components: false,
      colorMode: false,
      dts: false,
      // As the library has them, what is pressed is paler than its text may stand on.
      ui: {
        button: {
          compoundVariants: (['primary', 'success', 'info', 'warning', 'error'] as const).map((color) => ({
            color,
            variant: 'solid' as const,
            class: `hover:bg-${color}/90 active:bg-${color}/90`,
          })),
        },
      },
      theme: { colors: ['primary', 'success', 'info', 'warning', 'error'] },
      icon: { mode: 'svg', clientBundle: { scan: { globInclude: ['src/**/*.{vue,ts}'] }, sizeLimitKb: 64 } },
      experimental: { componentDetection: true },
    }),
    VueI18n({
      include: [path('./src/**/texts/*.json')],
      runtimeOnly: true,
      compositionOnly: true,
      fullInstall: false,
      dropMessageCompiler: true,
    }),
  ],
  build: {
    target: 'baseline-widely-available',
    assetsInlineLimit: 0,
    manifest: true,
    license: { fileName: 'licenses.md' },
    reportCompressedSize: false,
    // What rarely changes stays in the browsers' caches across our releases: the framework, and the components that signing
    // in and then every page need. Left to itself the bundler cuts them into crumbs, which compress worse with each page.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'framework', priority: 3, test: /node_modules\/(?:@vue|vue|vue-router|vue-i18n|@intlify|@tanstack\/(?:vue-query|query-core)|vue-demi)\// },
            { name: 'door', priority: 2, test: /node_modules\/@nuxt\/ui\/dist\/runtime\/components\/(?:App|Button|Form|FormField|Icon|Input|Link|LinkBase)\.vue/ },
            { name: 'shell', priority: 1, test: /node_modules\/@nuxt\/ui\/dist\/runtime\/components\/(?:DropdownMenu|Slideover|Kbd)\.vue/ },
          ],
        },
      },
    },
  },
  server: { proxy: { '/api': process.env.API_POOL_URL ?? 'http://127.0.0.1:8080' } },
  preview: { proxy: { '/api': process.env.API_POOL_URL ?? 'http://127.0.0.1:8080' } },
})
