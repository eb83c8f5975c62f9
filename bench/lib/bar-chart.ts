// Horizontal bars: axes start at zero, whiskers show the lowest and the highest run. Knows lengths and words, not what they
// mean.
import {
  chartPage,
  type ChartStyle,
  type ChartWords,
  fixed,
  MARGIN,
  niceStep,
  PAGE_WIDTH,
  text,
} from "./chart-page.ts";

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Lowest and highest run: a whisker. */
  readonly range?: readonly [number, number] | undefined;
  /** A second part that goes on where the first ends. */
  readonly more?: number | undefined;
  /** At the end of the bar. */
  readonly note: string;
  readonly highlighted: boolean;
}

export interface Panel {
  readonly title: string;
  /** The unit of the axis, and which direction is good. */
  readonly axis: string;
  readonly bars: readonly Bar[];
}

export interface Chart extends ChartWords {
  readonly panels: readonly Panel[];
}

/** Of a bold letter at 13 pixels in a wide font: the room that words get is reckoned with it, since nothing measures them. */
const LETTER_WIDTH = 8;
/** Between a label and its bar, and between a bar and its note. */
const GAP = 10;
const BAR_HEIGHT = 18;
const BAR_STEP = 28;
const PANEL_HEAD = 40;
const PANEL_FOOT = 34;
const TICKS = 5;

const STYLE: ChartStyle = {
  always: `
  .note { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round; }
  .whisker { stroke: #1f2328; stroke-width: 1.5; }
  .ours { fill: #0969da; } .theirs { fill: #9aa4ae; }
  .more { fill-opacity: 0.45; }`,
  dark: `
    .note { stroke: #0d1117; }
    .whisker { stroke: #f0f6fc; }
    .ours { fill: #4493f8; } .theirs { fill: #656c76; }`,
};

/** Where the bars of all panels begin, and how long the longest can be, in pixels. */
interface Plot {
  readonly left: number;
  readonly width: number;
}

/** @returns the whole document. */
export function barChart(chart: Chart): string {
  const plot = plotOf(chart.panels.flatMap(({ bars }) => bars));
  const panels = chart.panels.map((panel) => ({
    height: heightOf(panel),
    draw: (top: number) => drawPanel(panel, top, plot),
  }));
  return chartPage(chart, STYLE, panels);
}

/** What the longest label and the longest note leave, so that all panels stand in line and no words leave the page. */
function plotOf(bars: readonly Bar[]): Plot {
  const longest = (words: readonly string[]) =>
    Math.max(...words.map((word) => word.length)) * LETTER_WIDTH + GAP;
  const left = MARGIN + longest(bars.map(({ label }) => label));
  return { left, width: PAGE_WIDTH - MARGIN - longest(bars.map(({ note }) => note)) - left };
}

function heightOf(panel: Panel): number {
  return PANEL_HEAD + panel.bars.length * BAR_STEP + PANEL_FOOT;
}

function drawPanel({ title, axis, bars }: Panel, top: number, plot: Plot): string {
  const longest = Math.max(
    ...bars.map(({ value, more = 0, range }) => Math.max(value + more, range?.[1] ?? 0)),
  );
  const step = niceStep(longest, TICKS);
  const end = Math.ceil(longest / step) * step;
  const scale = (value: number) => plot.left + (value / end) * plot.width;
  const first = top + PANEL_HEAD;
  const bottom = first + bars.length * BAR_STEP;
  const parts = [
    text(MARGIN, top + 24, title, "panel"),
    text(PAGE_WIDTH - MARGIN, top + 24, axis, "quiet", "end"),
  ];
  for (let i = 0; i * step <= end + step / 2; i++) {
    const x = fixed(scale(i * step));
    parts.push(
      `<line class="${i === 0 ? "zero" : "grid"}" x1="${x}" x2="${x}" y1="${first - 4}" y2="${bottom}"/>`,
      text(Number(x), bottom + 16, String(Number((i * step).toPrecision(6))), "quiet", "middle"),
    );
  }
  bars.forEach((bar, index) => parts.push(drawBar(bar, first + index * BAR_STEP, scale)));
  return parts.join("\n");
}

function drawBar(bar: Bar, y: number, scale: (value: number) => number): string {
  const { label, value, range, more = 0, note, highlighted } = bar;
  const kind = highlighted ? "ours" : "theirs";
  const strong = highlighted ? "strong" : "";
  const middle = y + BAR_HEIGHT / 2;
  const rectangle = (from: number, to: number, name: string) =>
    `<rect class="${name}" x="${fixed(scale(from))}" y="${y}" width="${fixed(scale(to) - scale(from))}" height="${BAR_HEIGHT}"/>`;
  const parts = [
    text(scale(0) - GAP, middle + 4.5, label, strong, "end"),
    rectangle(0, value, kind),
    ...(more > 0 ? [rectangle(value, value + more, `${kind} more`)] : []),
  ];
  if (range !== undefined) parts.push(whisker(scale(range[0]), scale(range[1]), middle));
  const right = Math.max(scale(value + more), scale(range?.[1] ?? 0));
  parts.push(text(right + GAP, middle + 4.5, note, `note ${strong}`));
  return parts.join("\n");
}

function whisker(from: number, to: number, y: number): string {
  const path = `M${fixed(from)} ${y - 4}v8M${fixed(from)} ${y}H${fixed(to)}M${fixed(to)} ${y - 4}v8`;
  return `<path class="whisker" fill="none" d="${path}"/>`;
}
