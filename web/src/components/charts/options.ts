/** From what a chart shows to what ECharts draws. */
import { isAlone, ticks, type Series, type TimeChart } from './chart'
import type { BarSeriesOption, ChartOption, LineSeriesOption } from './registry'
import { colorOf, type Surface } from './surface'

type AxisTime = (at: number) => string

/** Stripes tell apart what colour alone would not. */
const PLAIN = { symbol: 'none' }
const STRIPES = { symbol: 'rect', color: 'rgba(255, 255, 255, 0.55)', dashArrayX: [1, 0], dashArrayY: [2, 3], rotation: -Math.PI / 4 }
const LONGEST_BAR_PX = 24

function frame(chart: TimeChart, surface: Surface, axisTime: AxisTime, decals: readonly object[]): ChartOption {
  const label = { color: surface.text, fontSize: 11, hideOverlap: true }
  return {
    // A chart that is patched every minute holds still meanwhile.
    animation: false,
    textStyle: { fontFamily: surface.font },
    aria: { enabled: true, label: { description: chart.description }, decal: { show: true, decals: decals as never } },
    grid: { left: 0, right: 4, top: 28, bottom: 0, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: {
      type: 'time',
      min: chart.from,
      max: chart.to,
      axisLine: { lineStyle: { color: surface.line } },
      axisTick: { show: false },
      splitLine: { show: false },
      axisLabel: { ...label, customValues: ticks(chart.from, chart.to), formatter: axisTime },
      axisPointer: { show: true, type: 'line', snap: false, label: { show: false }, lineStyle: { color: surface.text, type: 'solid', width: 1 } },
    },
    yAxis: {
      type: 'value',
      name: chart.unit,
      nameTextStyle: { color: surface.text, fontSize: 11, align: 'left', padding: [0, 0, 2, 0] },
      min: chart.lowest,
      max: chart.highest,
      minInterval: chart.highest === undefined ? 1 : 0,
      splitNumber: 4,
      splitLine: { lineStyle: { color: surface.line } },
      axisLabel: { ...label, formatter: (value: number) => chart.format(Math.abs(value)) },
    },
  }
}

export function trendOption(chart: TimeChart, surface: Surface, axisTime: AxisTime): ChartOption {
  const band = bandSeries(chart, surface)
  return { ...frame(chart, surface, axisTime, [PLAIN]), series: [...band, ...chart.series.map((series) => line(series, chart, surface))] }
}

function line(series: Series, { step }: TimeChart, surface: Surface): LineSeriesOption {
  const { key, name, ink, points, isForecast } = series
  const color = colorOf(ink, surface)
  return {
    id: key,
    type: 'line',
    name,
    data: points.map(([at, value], index) => ({ value: [at + step / 2, value ?? '-'], symbolSize: isAlone(points, index) ? 5 : 0 })),
    connectNulls: false,
    symbol: 'circle',
    lineStyle: { color, width: ink === 'plain' ? 1.5 : 2, type: isForecast === true ? [6, 4] : 'solid' },
    itemStyle: { color },
    silent: true,
    z: 3,
  }
}

/** An unseen line along the lower edge, and on top of it the room up to the upper one. */
function bandSeries({ band, series, step }: TimeChart, surface: Surface): LineSeriesOption[] {
  const [lower, upper] = [series.find(({ key }) => key === band?.lower), series.find(({ key }) => key === band?.upper)]
  if (band === undefined || lower === undefined || upper === undefined) return []
  const tops = new Map(upper.points)
  const unseen = { type: 'line', stack: 'band', symbol: 'none', silent: true, lineStyle: { opacity: 0 }, z: 1 } as const
  const room = lower.points.map(([at, value]) => {
    const top = tops.get(at) ?? null
    return [at + step / 2, value === null || top === null ? '-' : Math.max(0, top - value)]
  })
  return [
    { ...unseen, id: 'band below', data: lower.points.map(([at, value]) => [at + step / 2, value ?? '-']) },
    { ...unseen, id: 'band', name: band.name, data: room, areaStyle: { color: colorOf(band.ink, surface), opacity: 0.16 } },
  ]
}

export function barOption(chart: TimeChart, surface: Surface, axisTime: AxisTime): ChartOption {
  return { ...frame(chart, surface, axisTime, [PLAIN, STRIPES]), series: chart.series.map((series) => bars(series, chart, surface)) }
}

function bars({ key, name, ink, points, isDown }: Series, { step }: TimeChart, surface: Surface): BarSeriesOption {
  return {
    id: key,
    type: 'bar',
    name,
    // One column a step, in its middle: what came above the line, what went below.
    stack: 'all',
    data: points.map(([at, value]) => [at + step / 2, value === null ? '-' : isDown === true ? -value : value]),
    barMaxWidth: LONGEST_BAR_PX,
    barCategoryGap: '25%',
    itemStyle: { color: colorOf(ink, surface) },
    silent: true,
  }
}
