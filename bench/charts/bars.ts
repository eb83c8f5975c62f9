// Horizontal bars from zero, with a whisker from the lowest to the highest run, and a note to the right of each. Knows
// lengths and words, not what they mean.
import type { BarSeriesOption, BoxplotSeriesOption, YAXisComponentOption } from "echarts";
import { COLORS } from "./colors.ts";
import { MARGIN, NORMAL, PAGE_WIDTH, type Panel, QUIET, STRONG } from "./page.ts";

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Lowest and highest run. */
  readonly range?: readonly [number, number];
  /** A second, paler part that goes on where the first ends. */
  readonly more?: number;
  readonly note: string;
  readonly highlighted: boolean;
}

export interface Bars {
  readonly title: string;
  /** Of the axis, and which direction is good. */
  readonly unit: string;
  readonly bars: readonly Bar[];
}

/** Pixels for 22 letters and for 26. Longer words are broken into lines. The same in all panels, so that they stand in line. */
const LABEL_WIDTH = 172;
const NOTE_WIDTH = 204;
const GAP = 10;
const BAR_STEP = 28;
const HEAD = 38;
const FOOT = 56;

export function barPanel({ title, unit, bars }: Bars): Panel {
  const plot = bars.length * BAR_STEP;
  return {
    title,
    height: HEAD + plot + FOOT,
    draw: ({ top, index, yAxisIndex }) => {
      const axes = { xAxisIndex: index, yAxisIndex, silent: true };
      const stack = `stack ${index}`;
      return {
        grid: {
          left: MARGIN + LABEL_WIDTH + GAP,
          width: PAGE_WIDTH - 2 * (MARGIN + GAP) - LABEL_WIDTH - NOTE_WIDTH,
          top: top + HEAD,
          height: plot,
          outerBoundsMode: "none",
        },
        xAxis: {
          gridIndex: index,
          type: "value",
          min: 0,
          splitNumber: 4,
          name: unit,
          nameLocation: "middle",
          nameTextStyle: QUIET,
          axisLabel: QUIET,
          splitLine: { lineStyle: { color: COLORS.line } },
        },
        yAxes: [words(bars, index, "left"), words(bars, index, "right")],
        series: [
          { ...axes, ...part(bars, ({ value }) => value, 1), stack },
          { ...axes, ...part(bars, ({ more = 0 }) => more, 0.45), stack },
          ...(bars.some(({ range }) => range !== undefined) ? [{ ...axes, ...whiskers(bars) }] : []),
        ],
      };
    },
  };
}

function words(bars: readonly Bar[], gridIndex: number, position: "left" | "right"): YAXisComponentOption {
  const isLeft = position === "left";
  return {
    gridIndex,
    position,
    type: "category",
    inverse: true,
    data: bars.map(({ label, note, highlighted }) => ({
      value: isLeft ? label : note,
      textStyle: highlighted ? STRONG : NORMAL,
    })),
    axisLabel: { interval: 0, margin: GAP, width: isLeft ? LABEL_WIDTH : NOTE_WIDTH, overflow: "break" },
    axisTick: { show: false },
    axisLine: { show: isLeft, lineStyle: { color: COLORS.quiet } },
  };
}

function part(bars: readonly Bar[], value: (bar: Bar) => number, opacity: number): BarSeriesOption {
  const colorOf = ({ highlighted }: Bar) => (highlighted ? COLORS.ours : COLORS.theirs);
  const data = bars.map((bar) => ({ value: value(bar), itemStyle: { color: colorOf(bar), opacity } }));
  return { type: "bar", barWidth: "64%", data };
}

/** Box plots whose boxes have no width. */
function whiskers(bars: readonly Bar[]): BoxplotSeriesOption {
  return {
    type: "boxplot",
    z: 3,
    boxWidth: [8, 8],
    itemStyle: { color: COLORS.page, borderColor: COLORS.text, borderWidth: 1.5 },
    data: bars.map(({ value, range = [value, value] }) => [range[0], value, value, value, range[1]]),
  };
}
