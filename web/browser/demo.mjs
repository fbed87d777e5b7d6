// A pool that looks used: credentials in groups, some full, some failing, some switched off.
import { createHash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'

const NAMES = ['Lantern', 'Harbour', '海風', 'Juniper', 'Meridian', '夜航', 'Quartz', 'Saffron', '竹影', 'Tern']
const EACH = 12
const BATCH = 4
const SCORES_MS = 60_000
// What comes in within ten seconds is scored together, a second later: then scores stand still.
const STILL_MS = 13_000
const GROUPS = [
  { name: 'Sign-in', slots: 5 },
  { name: 'Messaging', slots: 12 },
  { name: '備援', slots: 8 },
]

export const COUNT = NAMES.length * EACH

/** Every name and number follows from its place, so that runs and pictures are alike. */
const CREDENTIALS = Array.from({ length: COUNT }, (_, index) => ({
  apiId: String(20_100_347 + ((index * 53) % COUNT) * 71_993),
  hash: createHash('sha256').update(`credential ${index}`).digest('hex').slice(0, 32),
  name: `${NAMES[index % NAMES.length]} ${String(Math.floor(index / NAMES.length) + 1).padStart(2, '0')}`,
}))

/** @param {import('./server.mjs').Server['api']} api */
export async function fillPool(api) {
  await importAll(api)
  const { items } = await api(`api-pool/?limit=${COUNT}&sort=created_at`)
  await succeeded(api('api-pool/allocate/batch', { requests: items.flatMap(accounts) }))
  await succeeded(api('api-pool/results', { results: items.flatMap(results) }))
  await Promise.all([
    ...[26, 58, 83, 109].map((index) => api(`api-pool/${items[index].id}/disable`, {})),
    ...[46, 112].map((index) => api(`api-pool/${items[index].id}/ban`, { reason: 'Telegram has revoked it' })),
  ])
}

/**
 * Waits until scores have followed the results, and stand still.
 * @param {import('./server.mjs').Server['api']} api
 */
export async function scored(api) {
  let before = ''
  let since = Date.now()
  for (const until = Date.now() + SCORES_MS; ; await setTimeout(250)) {
    const { items } = await api(`api-pool/?limit=${COUNT}&sort=health_score`)
    const now = JSON.stringify(items.map((/** @type {{ api_id: string, health_score: number }} */ one) => [one.api_id, one.health_score]))
    if (now !== before) [before, since] = [now, Date.now()]
    if (items[0].health_score < 100 && Date.now() - since > STILL_MS) return
    if (Date.now() > until) throw new Error('the program has not scored the results')
  }
}

/** @param {import('./server.mjs').Server['api']} api */
async function importAll(api) {
  const groups = []
  for (const { name } of GROUPS) groups.push((await api('api-pool/groups', { name })).id)
  for (let from = 0; from < COUNT; from += BATCH) {
    const lines = CREDENTIALS.slice(from, from + BATCH).map(({ apiId, hash, name }) => `${apiId}:${hash}:${name}`)
    const group = (from / BATCH) % GROUPS.length
    const options = { group_id: groups[group], default_max_accounts: GROUPS[group]?.slots }
    const report = await api('api-pool/batch', { data: lines.join('\n'), ...options })
    if (report.imported !== lines.length) throw new Error(`imported ${report.imported} of ${lines.length}: ${JSON.stringify(report.lines)}`)
  }
}

/**
 * @param {{ api_id: string, max_accounts: number }} credential
 * @param {number} index
 */
function accounts({ api_id, max_accounts }, index) {
  const taken = index % 9 === 4 ? max_accounts : (index * 7) % Math.min(max_accounts, 6)
  return Array.from({ length: taken }, (_, account) => ({ account_id: `+8869${String(index * 100 + account).padStart(8, '0')}`, api_id }))
}

/**
 * Every eighth credential fails, some of them in their last result; two failures in a row would ban it.
 * @param {{ api_id: string }} credential
 * @param {number} index
 */
function results({ api_id }, index) {
  const story = index % 8 === 6 ? 'fs'.repeat(1 + (index % 11)) + (index % 3 === 0 ? 'f' : 's') : 's'.repeat((index * 11) % 14)
  return [...story].map((result, time) => ({
    api_id,
    account_id: `+8869${String(index * 100 + time).padStart(8, '0')}`,
    success: result === 's',
    ...(result === 'f' && { error: 'API_ID_INVALID' }),
  }))
}

/** @param {Promise<{ results: { success: boolean }[] }>} batch */
async function succeeded(batch) {
  const refused = (await batch).results.filter(({ success }) => !success)
  if (refused.length > 0) throw new Error(`refused: ${JSON.stringify(refused.slice(0, 3))}`)
}
