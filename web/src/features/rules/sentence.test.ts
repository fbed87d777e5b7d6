import { expect, it } from 'vitest'
import { ruleSentence, type Ruling } from './sentence'
import commonEn from '@/i18n/texts/en.json'
import commonZhTW from '@/i18n/texts/zh-TW.json'
import rulesEn from './texts/en.json'
import rulesZhTW from './texts/zh-TW.json'

const en = { common: commonEn, rules: rulesEn }
const zhTW = { common: commonZhTW, rules: rulesZhTW }

const GROUPS = new Map([['g1', 'Sign-in']])

const speaks = (texts: object) => (key: string, named: Record<string, string> = {}) => {
  const text = key.split('.').reduce<unknown>((node, step) => (node as Record<string, unknown>)[step], texts) as string
  return text.replace(/\{(\w+)\}/g, (_, name: string) => named[name] ?? '')
}
function said(rule: Partial<Ruling>, texts: object = en) {
  const { who, what } = ruleSentence({ effect: 'deny', match: {}, target: null, ...rule }, GROUPS, speaks(texts))
  return `${who} → ${what}`
}

it('says whom a rule is about and what it does', () => {
  expect(said({ effect: 'bind', match: { account: '+86*', operator: 'svc:x' }, target: { group_id: 'g1' } })).toBe('Accounts like +86* of operator svc:x → only group Sign-in')
  expect(said({ effect: 'bind', match: { account: '+86*', operator: 'svc:x' }, target: { group_id: 'g1' } }, zhTW)).toBe('帳號符合 +86*，操作者為 svc:x → 只使用群組「Sign-in」')
})

it('says that it is about everybody', () => {
  expect(said({})).toBe('Everybody → refused')
  expect(said({ effect: 'prefer', target: { api_id: '12345' } })).toBe('Everybody → credential 12345 first')
})

it('begins with accounts when it names none', () => {
  expect(said({ match: { operator: 'svc:*', ip: '10.0.0.0/8' } })).toBe('Accounts of operators like svc:* from 10.0.0.0/8 → refused')
  expect(said({ match: { level: 'gold, king', group: 'g1' }, effect: 'deny', target: { api_id: '7' } })).toBe('Accounts at level Gold or King that ask for group Sign-in → never credential 7')
  expect(said({ match: { level: 'gold,king' } }, zhTW)).toBe('等級為黃金或王者 → 拒絕')
  expect(said({ match: { level: 'gold,diamond,star,king' } })).toBe('Accounts at level Gold or higher → refused')
})

it('names an account that is not a pattern, and a group that is gone by its id', () => {
  expect(said({ effect: 'allow', match: { account: '+8613800000001' }, target: { group_id: 'gone' } })).toBe('Account +8613800000001 → may have group gone, others not')
})
