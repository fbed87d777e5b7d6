// Puts a .br and a .gz beside every text file of dist, so that the server only picks one.
// The build's manifest has done its duty by then (scripts/budget.mjs) and is left out of what is served.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const dist = new URL('../dist/', import.meta.url).pathname
const text = /\.(?:js|css|html|svg|json|md|txt|webmanifest)$/
const smallest = 512

await rm(join(dist, '.vite'), { recursive: true, force: true })

let [files, before, br, gz] = [0, 0, 0, 0]
for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !text.test(entry.name)) continue
  const path = join(entry.parentPath, entry.name)
  const plain = await readFile(path)
  if (plain.length < smallest) continue
  const brotli = brotliCompressSync(plain, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
    },
  })
  const gzip = gzipSync(plain, { level: 9 })
  await Promise.all([writeFile(`${path}.br`, brotli), writeFile(`${path}.gz`, gzip)])
  files += 1
  before += plain.length
  br += brotli.length
  gz += gzip.length
}

const kb = (bytes) => `${(bytes / 1000).toFixed(1)} kB`
console.log(`precompressed ${files} files: ${kb(before)} → ${kb(br)} brotli, ${kb(gz)} gzip`)
