import { describe, expect, it } from 'vitest'
import type { ImportReport } from '@/api/credentials'
import words from '../texts/import.en.json'
import { inWords } from './messages'
import { asCsv, gathered, isIn } from './report'

const answer = (lines: ImportReport['lines']): ImportReport => ({ batch_id: null, imported: 0, duplicates: 0, rejected: 0, warnings: 0, lines })

describe('a report', () => {
  const first = answer([
    { line: 1, api_id: '1', outcome: 'imported' },
    { line: 2, api_id: '2', outcome: 'rejected', reason: 'api_hash is missing' },
    { line: 3, api_id: '1', outcome: 'duplicate', reason: 'stands on line 1 already' },
  ])
  const second = answer([
    { line: 1, api_id: '1', outcome: 'imported' },
    { line: 2, api_id: '2', outcome: 'imported', reason: 'api_hash is not 32 lowercase hexadecimal digits, as it usually is' },
    { line: 3, api_id: null, outcome: 'rejected', reason: 'api_id is missing' },
  ])

  it('of slices finds what stands twice in the whole', () => {
    const report = gathered([
      { report: first, lineOf: (line) => line },
      { report: second, lineOf: (line) => line + 10 },
    ])
    expect(report.lines.map(({ line, outcome, reason }) => [line, outcome, reason])).toEqual([
      [1, 'imported', null],
      [2, 'rejected', 'api_hash is missing'],
      [3, 'duplicate', 'stands on line 1 already'],
      [11, 'duplicate', 'stands on line 1 already'],
      [12, 'imported', 'api_hash is not 32 lowercase hexadecimal digits, as it usually is'],
      [13, 'rejected', 'api_id is missing'],
    ])
    expect(report).toMatchObject({ imported: 2, duplicates: 2, rejected: 2, warnings: 1 })
  })

  it('names the line of the whole where a slice names its own', () => {
    expect(gathered([{ report: first, lineOf: (line) => line + 100 }]).lines[2]).toMatchObject({ line: 103, reason: 'stands on line 101 already' })
  })

  it('shows the lines that were asked for', () => {
    const { lines } = gathered([{ report: second, lineOf: (line) => line }])
    expect((['all', 'imported', 'rejected', 'warning', 'duplicate'] as const).map((view) => lines.filter((line) => isIn(line, view)).length)).toEqual([3, 2, 1, 1, 0])
  })

  it('is a table that no spreadsheet runs', () => {
    const line = { line: 1, apiId: '7', outcome: 'imported', reason: null } as const
    expect(asCsv([line], ['Line', 'api_id', 'Outcome', 'Reason'], () => ({ outcome: '=1+1', reason: 'a "b", c' }))).toBe(
      `\ufeffLine,api_id,Outcome,Reason\r\n1,7,'=1+1,"a ""b"", c"\r\n`,
    )
  })
})

describe('reasons', () => {
  const t = (key: string, named: Record<string, string>) => {
    const text = key.split('.').reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], { credentials: words })
    return String(text).replace(/\{(\w)\}/g, (_, name: string) => named[name] ?? '')
  }

  it('are put into words, with their values', () => {
    expect(inWords('max_accounts must be between 1 and 100000', t)).toBe('max_accounts must be a whole number from 1 to 100000')
    expect(inWords('stands on line 12 already', t)).toBe('Stands on line 12 already')
    expect(inWords('column 4 has a quote that is never closed', t)).toBe('column 4 has a quote that is never closed')
  })

  it('that nobody knows are shown as they are', () => {
    expect(inWords('something new', t)).toBe('something new')
  })
})
