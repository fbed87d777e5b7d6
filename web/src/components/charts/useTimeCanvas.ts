import { useResizeObserver } from '@vueuse/core'
import { onBeforeUnmount, onMounted, shallowRef, watch, type ShallowRef } from 'vue'
import { nearest } from './chart'
import { init, type ChartOption, type ECharts } from './registry'

interface Drawn {
  option: ChartOption
  /** Where the pointer stops. */
  moments: readonly number[]
}

export interface Pointed {
  at: number
  /** From the left edge, in pixels. */
  x: number
  width: number
}

/** A canvas of ECharts over time: drawn, kept in size, and what the pointer or the arrow keys point at. */
export function useTimeCanvas(host: Readonly<ShallowRef<HTMLElement | null>>, drawn: () => Drawn) {
  const pointed = shallowRef<Pointed | null>(null)
  let chart: ECharts | null = null

  function draw() {
    chart?.setOption(drawn().option, { replaceMerge: ['series'] })
  }

  function note(time: number | undefined) {
    const at = time === undefined ? null : nearest(drawn().moments, time)
    if (at === null || chart === null) return void (pointed.value = null)
    pointed.value = { at, x: Number(chart.convertToPixel({ xAxisIndex: 0 }, at)), width: chart.getWidth() }
  }

  /** So many steps on; nowhere yet is the newest. */
  function step(by: number) {
    const { moments } = drawn()
    const from = pointed.value === null ? moments.length - by : moments.indexOf(pointed.value.at)
    pointTo(moments[Math.min(moments.length - 1, Math.max(0, from + by))])
  }

  function pointTo(at: number | undefined) {
    if (chart === null || at === undefined) return
    const x = Number(chart.convertToPixel({ xAxisIndex: 0 }, at))
    chart.dispatchAction({ type: 'updateAxisPointer', currTrigger: 'mousemove', x, y: chart.getHeight() / 2 })
    note(at)
  }

  function leave() {
    chart?.dispatchAction({ type: 'updateAxisPointer', currTrigger: 'leave' })
    pointed.value = null
  }

  onMounted(() => {
    if (host.value === null) return
    chart = init(host.value, null, { renderer: 'canvas' })
    chart.on('updateAxisPointer', (event) => note((event as { axesInfo?: { value: number }[] }).axesInfo?.[0]?.value))
    chart.getZr().on('globalout', leave)
    draw()
  })
  watch(drawn, draw, { flush: 'post' })
  useResizeObserver(host, () => {
    chart?.resize()
    leave()
  })
  onBeforeUnmount(() => chart?.dispose())

  return { pointed, step, leave, toEnd: (end: 'first' | 'last') => pointTo(drawn().moments.at(end === 'first' ? 0 : -1)) }
}
