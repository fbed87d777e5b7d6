import type { TextKey } from '@/i18n'

/** What the server says of a line, in the reader's language. What it says and we don't know is shown as it is. */
const MESSAGES: readonly (readonly [RegExp, TextKey])[] = [
  [/^is in the pool already$/, 'credentials.import.reason.inPool'],
  [/^stands on line (\d+) already$/, 'credentials.import.reason.repeated'],
  [/^(.+) is missing$/, 'credentials.import.reason.missing'],
  [/^(.+) is required$/, 'credentials.import.reason.missing'],
  [/^(.+) must be a whole number$/, 'credentials.import.reason.whole'],
  [/^(.+) must be (?:a whole number from|between) (-?\d+) (?:to|and) (-?\d+)$/, 'credentials.import.reason.between'],
  [/^api_id is a published sample id, which Telegram limits; register your own$/, 'credentials.import.reason.sample'],
  [/^(.+) is masked; export with the plain hashes$/, 'credentials.import.reason.masked'],
  [/^(.+) must be at most 256 ASCII characters without spaces$/, 'credentials.import.reason.hash'],
  [/^(.+) is not 32 lowercase hexadecimal digits, as it usually is$/, 'credentials.import.reason.unusual'],
  [/^(.+) must be text$/, 'credentials.import.reason.text'],
  [/^(.+) can't be negative$/, 'credentials.import.reason.negative'],
  [/^(.+) must be true or false$/, 'credentials.import.reason.boolean'],
  [/^group is not one of the groups$/, 'credentials.import.reason.group'],
  [/^min_member_level is not one of the levels$/, 'credentials.import.reason.level'],
  [/^(.+) is longer than 10 kB$/, 'credentials.import.reason.long'],
  [/^(.+) must be at most (\d+) characters$/, 'credentials.import.reason.characters'],
  [/^(.+) (?:contains a control character|must not contain control characters)$/, 'credentials.import.reason.control'],
  [/^(.+) must not be empty$/, 'credentials.import.reason.missing'],
  [/^tags must be at most (\d+)$/, 'credentials.import.reason.tags'],
  [/^tags must be a list of words$/, 'credentials.import.reason.tagList'],
  [/^line has more cells than the header$/, 'credentials.import.reason.cells'],
  [/^line is not api_id:api_hash or api_id:api_hash:name$/, 'credentials.import.reason.form'],
  [/^line must be an object with api_id and api_hash$/, 'credentials.import.reason.object'],
  [/^(.+) has a quote that is never closed$/, 'credentials.import.reason.quote'],
  [/^(.+) has text after its closing quote$/, 'credentials.import.reason.afterQuote'],
  [/^(.+) has a value of the wrong kind$/, 'credentials.import.reason.kind'],
  [/^data holds no list of credentials$/, 'credentials.import.reason.noList'],
  [/^data is not JSON: line (\d+), column (\d+)$/, 'credentials.import.reason.json'],
  [/^line is not JSON: column (\d+)$/, 'credentials.import.reason.jsonLine'],
]

export function inWords(reason: string, t: (key: TextKey, named: Record<string, string>) => string): string {
  for (const [pattern, key] of MESSAGES) {
    const found = pattern.exec(reason)
    if (found !== null) return t(key, { a: found[1] ?? '', b: found[2] ?? '', c: found[3] ?? '' })
  }
  return reason
}
