// Starts the real program on a scratch database and talks to it as a client would.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const PROGRAM = process.env.API_POOL_BIN ?? fileURLToPath(new URL('../../target/debug/api-pool', import.meta.url))
const START_MS = 30_000
const STOP_MS = 5_000
const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])

export const OWNER = { username: 'admin', password: 'correct horse battery' }

/** @typedef {Awaited<ReturnType<typeof startServer>>} Server */

/**
 * @param {{ database?: string, port?: number }} [options] an existing database, else a new one; a port, else a free one
 */
export async function startServer({ database, port = 0 } = {}) {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: run \`cargo build\`, or say in API_POOL_BIN where it is`)
  const folder = mkdtempSync(join(tmpdir(), 'api-pool-browser-'))
  const child = spawn(PROGRAM, ['serve'], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HTTP_PORT: String(port),
      LOG_LEVEL: 'warn',
      DATABASE_PATH: database ?? join(folder, 'pool.db'),
      API_POOL_ADMIN_USERNAME: OWNER.username,
      API_POOL_ADMIN_PASSWORD: OWNER.password,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })

  // However this process ends, the program and its folder go with it.
  const leave = () => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', leave)
  const quit = () => process.exit(1)
  for (const signal of SIGNALS) process.once(signal, quit)
  const ended = new Promise((resolve) => child.once('close', resolve))

  let log = ''
  child.stderr.on('data', (chunk) => (log += chunk))
  /** @type {string} */
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the program isn't ready after ${START_MS} ms\n${log}`)), START_MS)
    createInterface(child.stdout).on('line', (line) => {
      const address = /^API Pool is ready at (\S+)/.exec(line)?.[1]
      if (address === undefined) return
      clearTimeout(timer)
      resolve(address)
    })
    child.once('error', reject)
    void ended.then((code) => reject(new Error(`the program ended with ${code}\n${log}`)))
  })

  let token = ''

  /**
   * Calls the API and gives the answer's `data`.
   * @param {string} path
   * @param {unknown} [body] makes it a POST
   * @param {string} [method]
   */
  async function api(path, body, method = body === undefined ? 'GET' : 'POST') {
    const response = await fetch(`${url}/api/admin/${path}`, {
      method,
      headers: { ...(token !== '' && { Authorization: `Bearer ${token}` }), ...(body !== undefined && { 'Content-Type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
    return JSON.parse(text).data
  }

  /** As a crash would end it. Its database stays when it was given. */
  async function kill() {
    child.kill('SIGKILL')
    await ended
  }

  /** As an operator would end it. It has told no error until then. */
  async function stop() {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    child.kill('SIGTERM')
    await ended
    clearTimeout(timer)
    process.off('exit', leave)
    for (const signal of SIGNALS) process.off(signal, quit)
    leave()
    if (/\bERROR\b/.test(log)) throw new Error(`the program told of errors\n${log}`)
  }

  ;({ token } = await api('login', OWNER))
  return { url, api, kill, stop }
}
