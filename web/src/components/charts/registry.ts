/** What is used of ECharts, in one place. Only the charts import it, and they are loaded when one is seen. */
import { BarChart, LineChart, type BarSeriesOption, type LineSeriesOption } from 'echarts/charts'
import { AriaComponent, AxisPointerComponent, GridComponent, type AriaComponentOption, type GridComponentOption } from 'echarts/components'
import { init, use, type ComposeOption, type ECharts } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'

use([LineChart, BarChart, GridComponent, AxisPointerComponent, AriaComponent, CanvasRenderer])

export type ChartOption = ComposeOption<BarSeriesOption | LineSeriesOption | GridComponentOption | AriaComponentOption>
export type { BarSeriesOption, ECharts, LineSeriesOption }
export { init }
