import { filesUnder, read } from './files'

type Node = { [key: string]: Node | string }

function flat(node: Node, prefix: string): Record<string, string> {
  return Object.assign(
    {},
    ...Object.entries(node).map(([key, value]) => (typeof value === 'string' ? { [prefix + key]: value } : flat(value, `${prefix}${key}.`))),
  ) as Record<string, string>
}

/** Every file of a language: which part of the texts it is (`common`, `accounts`, `accounts.words`), and its texts by key. */
export function textFiles(locale: string): { part: string; texts: Record<string, string> }[] {
  return filesUnder('src', new RegExp(`texts[/\\\\](?:\\w+\\.)?${locale}\\.json$`)).map((path) => {
    const [, feature = 'common', name] = new RegExp(`^src/(?:features/(\\w+)|i18n)/texts/(?:(\\w+)\\.)?${locale}`).exec(path.replaceAll('\\', '/')) ?? []
    return { part: name === undefined ? feature : `${feature}.${name}`, texts: flat(JSON.parse(read(path)) as Node, `${feature}.`) }
  })
}

export function flatten(locale: string): Record<string, string> {
  return Object.assign({}, ...textFiles(locale).map(({ texts }) => texts)) as Record<string, string>
}
