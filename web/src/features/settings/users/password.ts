/** What the server asks of a password. */
export const SHORTEST_PASSWORD = 10

/** Letters and digits that nobody takes for one another, also read aloud. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'
const LENGTH = 20

type Random = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array

/** A password that nobody has thought of: about 116 bits. */
export function newPassword(random: Random = (bytes) => crypto.getRandomValues(bytes)): string {
  // Bytes above the last whole round of letters would make some letters likelier than others.
  const fair = 256 - (256 % LETTERS.length)
  let password = ''
  while (password.length < LENGTH) {
    for (const byte of random(new Uint8Array(LENGTH))) if (byte < fair && password.length < LENGTH) password += LETTERS[byte % LETTERS.length]
  }
  return password
}
