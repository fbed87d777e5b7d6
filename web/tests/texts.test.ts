import { describe, expect, it } from 'vitest'
import { filesUnder, read } from './files'
import { flatten, textFiles } from './textFiles'

const english = flatten('en')
const chinese = flatten('zh-TW')
const pairs = Object.keys(english).map((key) => ({ key, en: english[key] ?? '', zh: chinese[key] ?? '' }))

const sources = filesUnder('src', /(?<!\.test|\.d)\.(?:ts|vue)$/).map(read)
const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort()

describe('texts', () => {
  it('no text stands in two files', () => {
    const keys = textFiles('en').flatMap(({ texts }) => Object.keys(texts))
    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([])
  })

  it('both languages have the same keys', () => {
    expect(Object.keys(chinese).sort()).toEqual(Object.keys(english).sort())
  })

  it('no text is empty', () => {
    expect(pairs.filter(({ en, zh }) => en.trim() === '' || zh.trim() === '')).toEqual([])
  })

  it('both languages name the same values', () => {
    expect(pairs.filter(({ en, zh }) => placeholders(en).join() !== placeholders(zh).join())).toEqual([])
  })

  it('both languages have the same number of plural forms', () => {
    expect(pairs.filter(({ en, zh }) => en.split('|').length !== zh.split('|').length)).toEqual([])
  })

  it('every text is used', () => {
    expect(Object.keys(english).filter((key) => !sources.some((source) => source.includes(`'${key}'`)))).toEqual([])
  })

  it('every text that is asked for exists', () => {
    const asked = sources.flatMap((source) => [...source.matchAll(/\bt(?:ranslate)?\(\s*'([^']+)'/g)].map(([, key]) => key ?? ''))
    expect(asked.length).toBeGreaterThan(20)
    expect(asked.filter((key) => !(key in english))).toEqual([])
  })

  it('no template speaks by itself', () => {
    const spoken = filesUnder('src', /\.vue$/).flatMap((path) => {
      const template = read(path).match(/<template>[\s\S]*<\/template>/)?.[0] ?? ''
      const words = template.replace(/<code[^>]*>[^<]*<\/code>/g, '').replace(/\{\{[\s\S]*?\}\}/g, '').replace(/<(?:"[^"]*"|[^">])*>/g, ' ')
      const attributes = [...template.matchAll(/\s(?:label|aria-label|title|placeholder|text|hint|heading|alt)="([^"]+)"/g)].map(([, value]) => value)
      return [...(words.match(/\p{L}{2,}/gu) ?? []), ...attributes].map((word) => `${path}: ${word}`)
    })
    expect(spoken).toEqual([])
  })
})

describe('繁體中文', () => {
  it('has full-width punctuation beside Chinese characters', () => {
    expect(pairs.filter(({ zh }) => /\p{Script=Han}[,.!?;:()]|[,!?;:()]\p{Script=Han}/u.test(zh))).toEqual([])
  })

  it('has full-width quotes and no three dots', () => {
    expect(pairs.filter(({ en, zh }) => /["“”]|\.\.\./.test(zh) || /"|\.\.\./.test(en))).toEqual([])
  })

  it('has a space between Chinese and Latin, and none between Chinese and its punctuation', () => {
    expect(pairs.filter(({ zh }) => /\p{Script=Han}[A-Za-z]|[A-Za-z]\p{Script=Han}|\s[，。、；：！？「」（）]|[，。、；：！？「」（）]\s/u.test(zh))).toEqual([])
  })
})
