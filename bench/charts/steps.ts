// Steps over time: how many of a number of things have happened by when, one line each, named in a legend above. Knows
// numbers and words, not what they mean.
import type { LineSeriesOption } from "echarts";
import { COLORS } from "./colors.ts";
import { MARGIN, NORMAL, PAGE_WIDTH, type Panel, QUIET, STRONG } from "./page.ts";

export interface StepLine {
  /** In the legend. No two are equal. */
  readonly label: string;
  /** When each thing happened, in any order: the line goes up by one at each. */
  readonly times: readonly number[];
  /** 0 stands out; others are told apart by colour and dashes. */
  readonly style: number;
}

export interface Steps {
  readonly title: string;
  /** What is counted upwards. */
  readonly counted: string;
  /** To the right, and which direction is good. */
  readonly unit: string;
  /** Things that can happen: the height of the plot. */
  readonly count: number;
  readonly lines: readonly StepLine[];
  /** A vertical line with its name. */
  readonly mark: { readonly at: number; readonly label: string };
}

const PLOT_HEIGHT = 190;
const PLOT_LEFT = MARGIN + 44;
const HEAD = 36;
const LEGEND_STEP = 18;
/** Between the legend and the plot: the mark's name stands there. */
const MARK_ROOM = 30;
const FOOT = 56;
/** A line that ends so many times later than the one before it would press all others together: it leaves the plot. */
const MUCH_LATER = 2.5;
const STYLES = [
  { color: COLORS.ours, width: 3, type: "solid" },
  { color: COLORS.orange, width: 2, type: "solid" },
  { color: COLORS.green, width: 2, type: [7, 3] },
  { color: COLORS.gray, width: 2, type: [2, 3] },
  { color: COLORS.purple, width: 2, type: [10, 3, 2, 3] },
] satisfies LineSeriesOption["lineStyle"][];

export function stepPanel(steps: Steps): Panel {
  const { title, counted, unit, count, lines } = steps;
  const plot = HEAD + lines.length * LEGEND_STEP + MARK_ROOM;
  const end = axisEnd(steps);
  const labelOf = ({ label, times }: StepLine) =>
    Math.max(...times) > end ? `${label}, beyond the right edge` : label;
  const lineStyle = { color: COLORS.quiet };
  return {
    title,
    height: plot + PLOT_HEIGHT + FOOT,
    draw: ({ top, index, yAxisIndex }) => {
      const axis = {
        gridIndex: index,
        type: "value",
        min: 0,
        nameLocation: "middle",
        nameTextStyle: QUIET,
        axisLine: { show: true, lineStyle },
        axisTick: { show: true, length: 4, lineStyle },
      } as const;
      return {
        grid: {
          left: PLOT_LEFT,
          width: PAGE_WIDTH - MARGIN - 12 - PLOT_LEFT,
          top: top + plot,
          height: PLOT_HEIGHT,
          outerBoundsMode: "none",
        },
        xAxis: {
          ...axis,
          max: end,
          splitNumber: 8,
          name: unit,
          axisLabel: { ...QUIET, showMaxLabel: false },
          splitLine: { show: false },
        },
        yAxes: [
          {
            ...axis,
            max: count,
            name: counted,
            axisLabel: QUIET,
            splitLine: { lineStyle: { color: COLORS.line } },
          },
        ],
        legend: {
          data: lines.map((line) => ({ name: labelOf(line), textStyle: line.style === 0 ? STRONG : NORMAL })),
          left: MARGIN,
          top: top + HEAD,
          padding: 0,
          orient: "vertical",
          itemWidth: 30,
          itemHeight: NORMAL.fontSize,
          itemGap: LEGEND_STEP - NORMAL.fontSize,
          lineStyle: { width: "inherit" },
          // A symbol stands in the legend also of a line without any.
          itemStyle: { opacity: 0 },
          selectedMode: false,
        },
        series: [
          ...lines.map((line) => seriesOf(line, labelOf(line), index, yAxisIndex)),
          { type: "line", xAxisIndex: index, yAxisIndex, color: COLORS.text, markLine: markLine(steps) },
        ],
      };
    },
  };
}

function seriesOf(
  { times, style }: StepLine,
  name: string,
  xAxisIndex: number,
  yAxisIndex: number,
): LineSeriesOption {
  const look = STYLES[style % STYLES.length]!;
  const sorted = times.toSorted((a, b) => a - b);
  return {
    type: "line",
    name,
    xAxisIndex,
    yAxisIndex,
    step: "end",
    symbol: "none",
    silent: true,
    // The one that stands out is drawn above the others.
    z: STYLES.length - style,
    color: look.color,
    lineStyle: look,
    data: [[0, 0], ...sorted.map((time, before) => [time, before + 1])],
  };
}

function markLine({ mark, count }: Steps): NonNullable<LineSeriesOption["markLine"]> {
  return {
    silent: true,
    symbol: "none",
    lineStyle: { color: COLORS.text, width: 1.5, type: [2, 3] },
    label: { ...QUIET, formatter: mark.label, position: "end" },
    data: [[{ coord: [mark.at, 0] }, { coord: [mark.at, count] }]],
  };
}

/** Up to the last of all, but for lines that end much later than the others. */
function axisEnd({ lines, mark }: Steps): number {
  const ends = lines.map(({ times }) => Math.max(0, ...times)).toSorted((a, b) => a - b);
  let last = mark.at;
  for (const [position, end] of ends.entries()) {
    if (position > 0 && end > last * MUCH_LATER) break;
    last = Math.max(last, end);
  }
  return last * 1.05;
}
