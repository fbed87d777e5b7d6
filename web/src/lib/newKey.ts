/** A key that nobody else has. `crypto.randomUUID` is missing where the pool is reached over plain http. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Keys for requests that a form may send again: the same for the same body, another for another. */
export function keysByBody(): (body: unknown) => string {
  let last = { text: '', key: '' }
  return (body) => {
    const text = JSON.stringify(body)
    if (last.key === '' || last.text !== text) last = { text, key: newKey() }
    return last.key
  }
}
