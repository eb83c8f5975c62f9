// Steps over time: how many of a number of things have happened by when, one line each. The legend stands above the plot, a
// row for each line, so that no two labels can meet. Knows numbers and words, not what they mean.
import {
  chartPage,
  type ChartStyle,
  type ChartWords,
  escape,
  fixed,
  MARGIN,
  niceStep,
  PAGE_WIDTH,
  text,
} from "./chart-page.ts";

export interface StepLine {
  readonly label: string;
  /** In the legend, after the label. */
  readonly note: string;
  /** When each thing happened, in any order: the line goes up by one at each. */
  readonly times: readonly number[];
  /** 0 stands out; others are told apart by colour and dashes. */
  readonly style: number;
}

export interface LinePanel {
  readonly title: string;
  /** The unit of the axis to the right, and which direction is good. */
  readonly axis: string;
  /** Things that can happen: the height of the plot. */
  readonly count: number;
  readonly lines: readonly StepLine[];
  /** A vertical line with its name. */
  readonly mark: { readonly at: number; readonly label: string };
}

export interface LineChart extends ChartWords {
  readonly panels: readonly LinePanel[];
}

const PLOT_LEFT = MARGIN + 34;
const PLOT_RIGHT = PAGE_WIDTH - MARGIN - 12;
const PLOT_HEIGHT = 190;
const PANEL_HEAD = 36;
const LEGEND_STEP = 20;
/** Between the legend and the plot: the mark's name stands there. */
const MARK_ROOM = 26;
const PANEL_FOOT = 50;
const X_TICKS = 8;
const Y_TICKS = 5;
/** A line that ends so many times later than the one before it would press all others together: it leaves the plot. */
const MUCH_LATER = 2.5;
const STYLES = 5;

const STYLE: ChartStyle = {
  always: `
  .mark { stroke: #1f2328; stroke-width: 1.5; stroke-dasharray: 2 3; }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
  .s0 { stroke: #0969da; stroke-width: 3; }
  .s1 { stroke: #bc4c00; }
  .s2 { stroke: #1a7f37; stroke-dasharray: 7 3; }
  .s3 { stroke: #6e7781; stroke-dasharray: 2 3; }
  .s4 { stroke: #8250df; stroke-dasharray: 10 3 2 3; }`,
  dark: `
    .mark { stroke: #f0f6fc; }
    .s0 { stroke: #4493f8; }
    .s1 { stroke: #f0883e; }
    .s2 { stroke: #3fb950; }
    .s3 { stroke: #9198a1; }
    .s4 { stroke: #ab7df8; }`,
};

/** @returns the whole document. */
export function lineChart(chart: LineChart): string {
  const panels = chart.panels.map((panel) => ({
    height: heightOf(panel),
    draw: (top: number) => drawPanel(panel, top),
  }));
  return chartPage(chart, STYLE, panels);
}

function heightOf({ lines }: LinePanel): number {
  return PANEL_HEAD + lines.length * LEGEND_STEP + MARK_ROOM + PLOT_HEIGHT + PANEL_FOOT;
}

function drawPanel(panel: LinePanel, top: number): string {
  const { title, axis, count, lines, mark } = panel;
  const end = axisEnd(panel);
  const first = top + PANEL_HEAD + lines.length * LEGEND_STEP + MARK_ROOM;
  const bottom = first + PLOT_HEIGHT;
  const x = (value: number) => PLOT_LEFT + (Math.min(value, end) / end) * (PLOT_RIGHT - PLOT_LEFT);
  const y = (value: number) => bottom - (value / count) * PLOT_HEIGHT;
  const parts = [
    text(MARGIN, top + 20, title, "panel"),
    text(PLOT_RIGHT, bottom + 34, axis, "quiet", "end"),
    ...lines.map((line, row) => legendRow(line, top + PANEL_HEAD + (row + 0.5) * LEGEND_STEP, end)),
  ];
  for (const value of ticks(count, Y_TICKS)) {
    const at = fixed(y(value));
    const kind = value === 0 ? "zero" : "grid";
    parts.push(`<line class="${kind}" x1="${PLOT_LEFT}" x2="${PLOT_RIGHT}" y1="${at}" y2="${at}"/>`);
    parts.push(text(PLOT_LEFT - 8, Number(at) + 4.5, String(value), "quiet", "end"));
  }
  for (const value of ticks(end, X_TICKS)) {
    const at = fixed(x(value));
    parts.push(`<line class="zero" x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 4}"/>`);
    parts.push(text(Number(at), bottom + 18, String(value), "quiet", "middle"));
  }
  const at = fixed(x(mark.at));
  parts.push(
    `<line class="mark" x1="${at}" x2="${at}" y1="${first - 4}" y2="${bottom}"/>`,
    // Its name must not leave the page to the right.
    text(Number(at), first - 9, mark.label, "quiet", mark.at > end * 0.8 ? "end" : "middle"),
    // The one that stands out is drawn above the others.
    ...lines.toSorted((a, b) => b.style - a.style).map((line) => drawLine(line, end, x, y)),
  );
  return parts.join("\n");
}

function legendRow({ label, note, style, times }: StepLine, y: number, end: number): string {
  const words = Math.max(...times) > end ? `${note}, beyond the right edge` : note;
  const strong = style === 0 ? ' class="strong"' : "";
  return [
    `<path class="line s${style % STYLES}" d="M${MARGIN} ${fixed(y)}h30"/>`,
    `<text x="${MARGIN + 40}" y="${fixed(y + 4.5)}"><tspan${strong}>${escape(label)}</tspan> ${escape(words)}</text>`,
  ].join("\n");
}

function drawLine(
  { times, style }: StepLine,
  end: number,
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  const path = [`M${fixed(x(0))} ${fixed(y(0))}`];
  const shown = times.filter((time) => time <= end).toSorted((a, b) => a - b);
  shown.forEach((time, before) => path.push(`H${fixed(x(time))}V${fixed(y(before + 1))}`));
  if (shown.length < times.length) path.push(`H${fixed(x(end))}`);
  return `<path class="line s${style % STYLES}" d="${path.join("")}"/>`;
}

/** Up to the last of all, but for lines that end much later than the others. */
function axisEnd({ lines, mark }: LinePanel): number {
  const ends = lines.map(({ times }) => Math.max(0, ...times)).toSorted((a, b) => a - b);
  let last = mark.at;
  for (const [position, end] of ends.entries()) {
    if (position > 0 && end > last * MUCH_LATER) break;
    last = Math.max(last, end);
  }
  return last * 1.05;
}

/** Round numbers from 0 up to `end`, about `count` of them. */
function ticks(end: number, count: number): number[] {
  const step = niceStep(end, count);
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}
