/** Which of our fields a column is, as the server finds it out (`domain/src/import/fields.rs`; a test compares the names). */

export const FIELDS = ['api_id', 'api_hash', 'name', 'max_accounts', 'group', 'priority', 'is_premium', 'min_member_level', 'tags', 'source_phone', 'note'] as const
export type ImportField = (typeof FIELDS)[number]
/** `ignore` drops a column. */
export type Choice = ImportField | 'ignore'
/** What the person said of columns: by header, or by number from 0 where there is none. */
export type Choices = Readonly<Record<string, Choice>>

export const ALIASES: Record<ImportField, readonly string[]> = {
  api_id: ['apiid', 'appid', 'appapiid', 'applicationid', '應用id', '应用id', '接口id'],
  api_hash: ['apihash', 'apphash', 'appapihash', 'hash', 'apisecret', 'appsecret', '雜湊', '哈希', '密鑰', '密钥'],
  name: ['name', 'appname', 'apptitle', 'title', 'label', '名稱', '名称', '名字', '應用名稱', '应用名称'],
  max_accounts: ['maxaccounts', 'maxaccount', 'max', 'capacity', 'limit', '最大帳號數', '最大账号数', '帳號上限', '账号上限', '容量'],
  group: ['group', 'groupid', 'groupname', '群組', '群组', '分組', '分组'],
  priority: ['priority', '優先級', '优先级', '優先順序', '優先'],
  is_premium: ['ispremium', 'premium', 'vip', '高級', '高级'],
  min_member_level: ['minmemberlevel', 'memberlevel', 'minlevel', 'level', '會員等級', '会员等级', '最低等級', '最低等级'],
  tags: ['tags', 'tag', 'labels', '標籤', '标签'],
  source_phone: ['sourcephone', 'phone', 'phonenumber', 'registeredphone', '手機', '手机', '手機號', '手机号', '電話', '电话', '來源電話', '来源电话'],
  note: ['note', 'notes', 'remark', 'remarks', 'comment', 'description', '備註', '备注', '註記', '說明', '说明'],
}

/** `id` alone may be anyone's: it counts only where no better name stands beside it. */
const WEAK_ALIAS = 'id'
const POSITIONS: readonly ImportField[] = ['api_id', 'api_hash', 'name']

/** `API ID (required)` → `apiid`. */
export function plain(header: string): string {
  const [name = ''] = header.split(/[(（[]/)
  return (name.match(/[\p{L}\p{N}]/gu) ?? []).join('').toLowerCase()
}

function byAlias(header: string): ImportField | undefined {
  const name = plain(header)
  return FIELDS.find((field) => ALIASES[field].includes(name))
}

export function isKnown(header: string): boolean {
  return plain(header) === WEAK_ALIAS || byAlias(header) !== undefined
}

/** The fields of a row of headers: what the person said, then the usual names, each field once. */
export function layoutOf(headers: readonly string[], choices: Choices): (ImportField | null)[] {
  const layout: (ImportField | null)[] = headers.map(() => null)
  const settled = headers.map((header) => choices[header.trim()])
  const taken = new Set<ImportField>()
  const take = (at: number, field: ImportField | undefined) => {
    if (field === undefined || taken.has(field)) return
    layout[at] = field
    taken.add(field)
  }
  settled.forEach((choice, at) => choice !== undefined && choice !== 'ignore' && take(at, choice))
  headers.forEach((header, at) => settled[at] === undefined && take(at, byAlias(header)))
  if (!taken.has('api_id')) {
    const weak = headers.findIndex((header, at) => settled[at] === undefined && plain(header) === WEAK_ALIAS)
    if (weak >= 0) layout[weak] = 'api_id'
  }
  return layout
}

/** The fields of rows without a header: `api_id`, hash and name, and what the person said of others. */
export function positional(width: number, choices: Choices): (ImportField | null)[] {
  const claimed = new Set(Object.values(choices))
  return Array.from({ length: width }, (_, at) => {
    const choice = choices[String(at)]
    if (choice !== undefined) return choice === 'ignore' ? null : choice
    const usual = POSITIONS[at]
    return usual === undefined || claimed.has(usual) ? null : usual
  })
}
