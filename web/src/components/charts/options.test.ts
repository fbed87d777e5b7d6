import { describe, expect, it } from 'vitest'
import type { Series, TimeChart } from './chart'
import { barOption, trendOption } from './options'

const SURFACE = { text: '#333', line: '#ddd', back: '#fff', font: 'sans' }
const series = (key: string, values: (number | null)[], change: Partial<Series> = {}): Series => ({ key, name: key, ink: 'blue', points: values.map((value, at) => [at * 10, value]), ...change })
const chart = (change: Partial<TimeChart>): TimeChart => ({ description: 'so it is', series: [], from: 0, to: 30, unit: 'slots', step: 0, format: String, ...change })

type Drawn = { id: string; data: unknown[]; lineStyle?: { type?: unknown }; stack?: string }
const drawn = ({ series }: { series?: unknown }) => Object.fromEntries((series as Drawn[]).map((one) => [one.id, one]))

describe('lines', () => {
  const option = trendOption(
    chart({
      series: [series('slots', [10, 10, null, 12]), series('used', [4, null, 5, 13]), series('expected', [13], { isForecast: true })],
      band: { name: 'free', ink: 'blue', lower: 'used', upper: 'slots' },
    }),
    SURFACE,
    String,
  )

  it('have gaps where nothing was measured, and a dot where a value stands alone', () => {
    expect(drawn(option).used?.data).toEqual([
      { value: [0, 4], symbolSize: 5 },
      { value: [10, '-'], symbolSize: 0 },
      { value: [20, 5], symbolSize: 0 },
      { value: [30, 13], symbolSize: 0 },
    ])
  })

  it('are dashed where they are expected', () => {
    expect([drawn(option).used?.lineStyle?.type, drawn(option).expected?.lineStyle?.type]).toEqual(['solid', [6, 4]])
  })

  it('have the room between two of them shaded where both are known', () => {
    expect(drawn(option).band?.data).toEqual([[0, 6], [10, '-'], [20, '-'], [30, 0]])
  })

  it('say what is seen', () => {
    expect(option.aria).toMatchObject({ enabled: true, label: { description: 'so it is' }, decal: { show: true } })
  })
})

it('bars stand in the middle of their step, what is taken away below the line', () => {
  const option = barOption(chart({ step: 10, series: [series('in', [3, 0]), series('out', [1, null], { isDown: true })] }), SURFACE, String)
  expect([drawn(option).in?.data, drawn(option).out?.data]).toEqual([[[5, 3], [15, 0]], [[5, -1], [15, '-']]])
  expect(drawn(option).in?.stack).toBe(drawn(option).out?.stack)
})
