/** Small preferences that may survive a reload. Never a secret: nothing of the session goes through here. */
const PREFIX = 'api-pool.'

export function readPreference(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name)
  } catch {
    return null
  }
}

export function writePreference(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value)
  } catch {
    // Storage is full or refused: the choice then holds until the reload.
  }
}
