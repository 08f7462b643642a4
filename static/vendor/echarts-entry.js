/* What of ECharts is in echarts.min.js. Built once, by hand, in an empty folder outside the project:
     npm i echarts@6.1.0 esbuild@0.25
     npx esbuild echarts-entry.js --bundle --minify --format=iife --global-name=echarts --legal-comments=none --outfile=echarts.min.js
   171 kB over the wire: mim.js fetches it after the page has loaded, and only where a chart is in view. */
export { init, use, getInstanceByDom } from "echarts/core";
import { use } from "echarts/core";
import { BarChart, LineChart, GraphChart } from "echarts/charts";
import { GridComponent, TooltipComponent, LegendComponent, MarkLineComponent } from "echarts/components";
import { CanvasRenderer } from "echarts/renderers";
use([BarChart, LineChart, GraphChart, GridComponent, TooltipComponent, LegendComponent, MarkLineComponent, CanvasRenderer]);
