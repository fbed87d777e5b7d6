import { client, data, seen, type Schemas } from './call'

export type Setting = Schemas['SettingView']
export type Settings = Schemas['SettingsView']
export type SettingsChange = Schemas['SettingsChange']

export function getSettings(signal?: AbortSignal): Promise<Settings> {
  return data(client.GET('/api/admin/settings', { signal }))
}

/** Null goes back to the default. */
export function updateSettings(version: number, body: SettingsChange): Promise<Settings> {
  return data(client.PUT('/api/admin/settings', { body, params: { header: seen(version) } }))
}

/** The program's version; open to everybody, and without an envelope. */
export async function getVersion(signal?: AbortSignal): Promise<string> {
  const { data: health } = await client.GET('/api/health', { signal })
  return health?.version ?? ''
}
