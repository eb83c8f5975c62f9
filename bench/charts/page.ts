// A picture: title, panels one below the other, small lines at the end; an SVG that follows the reader's light or dark page.
// ECharts draws it without a browser.
import {
  type EChartsOption,
  type GridComponentOption,
  init,
  type LegendComponentOption,
  type SeriesOption,
  type TitleComponentOption,
  type XAXisComponentOption,
  type YAXisComponentOption,
} from "echarts";
import { COLORS, darkStyle } from "./colors.ts";

export interface Picture {
  readonly title: string;
  readonly panels: readonly Panel[];
  /** What was measured, where and when. */
  readonly footnotes: readonly string[];
}

export interface Panel {
  readonly title: string;
  /** In pixels, title included. */
  readonly height: number;
  readonly draw: (place: Place) => PanelOption;
}

export interface Place {
  /** Where on the page the panel begins, in pixels. */
  readonly top: number;
  /** Of its grid and its x axis. */
  readonly index: number;
  /** Of its first y axis. */
  readonly yAxisIndex: number;
}

/** What a panel adds to the one chart that the page is. */
export interface PanelOption {
  readonly grid: GridComponentOption;
  readonly xAxis: XAXisComponentOption;
  readonly yAxes: readonly YAXisComponentOption[];
  readonly series: readonly SeriesOption[];
  readonly legend?: LegendComponentOption;
}

export const PAGE_WIDTH = 760;
export const MARGIN = 24;
export const NORMAL = { fontSize: 13, fontWeight: "normal", color: COLORS.text } as const;
export const STRONG = { ...NORMAL, fontWeight: "bold" } as const;
export const QUIET = { fontSize: 12, fontWeight: "normal", lineHeight: 17, color: COLORS.quiet } as const;

const FONT_FAMILY = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";
const HEAD = 52;
const FOOTNOTE_GAP = 8;
/** Of bold and of small letters in DejaVu Sans, the widest of the fonts; fewer than fit by the mean of its letters. */
const TITLE_COLUMNS = 88;
const FOOTNOTE_COLUMNS = 112;

/** @returns the whole SVG document. */
export function drawPage({ title, panels, footnotes }: Picture): string {
  const titles = [words(title, { ...STRONG, fontSize: 17 }, 18)];
  const drawn: PanelOption[] = [];
  let top = HEAD;
  for (const panel of panels) {
    titles.push(words(cut(panel.title), STRONG, top + 12));
    drawn.push(
      panel.draw({ top, index: drawn.length, yAxisIndex: drawn.flatMap(({ yAxes }) => yAxes).length }),
    );
    top += panel.height;
  }
  const small = footnotes.map((footnote) => Bun.wrapAnsi(footnote, FOOTNOTE_COLUMNS)).join("\n");
  titles.push(words(small, QUIET, top + FOOTNOTE_GAP));
  const height = top + FOOTNOTE_GAP + small.split("\n").length * QUIET.lineHeight + MARGIN - 4;
  return documentOf(title, height, {
    animation: false,
    textStyle: { fontFamily: FONT_FAMILY },
    title: titles,
    grid: drawn.map(({ grid }) => grid),
    xAxis: drawn.map(({ xAxis }) => xAxis),
    yAxis: drawn.flatMap(({ yAxes }) => yAxes),
    series: drawn.flatMap(({ series }) => series),
    legend: drawn.flatMap(({ legend }) => legend ?? []),
    graphic: {
      type: "rect",
      z: -1,
      silent: true,
      shape: { x: 0.5, y: 0.5, width: PAGE_WIDTH - 1, height: height - 1, r: 6 },
      style: { fill: COLORS.page, stroke: COLORS.line },
    },
  });
}

function cut(title: string): string {
  return title.length > TITLE_COLUMNS ? `${title.slice(0, TITLE_COLUMNS - 1)}…` : title;
}

function words(
  text: string,
  textStyle: NonNullable<TitleComponentOption["textStyle"]>,
  top: number,
): TitleComponentOption {
  return { text, textStyle, left: MARGIN, top, padding: 0 };
}

function documentOf(title: string, height: number, option: EChartsOption): string {
  const chart = init(undefined, undefined, { renderer: "svg", ssr: true, width: PAGE_WIDTH, height });
  chart.setOption(option);
  const svg = chart.renderToSVGString();
  chart.dispose();
  const head = `<title>${Bun.escapeHTML(title)}</title>\n<style>${darkStyle()}</style>`;
  // Few programs besides browsers know dominant-baseline.
  return `${svg.replace(/^<svg ([^>]*>)/, `<svg role="img" $1\n${head}`).replaceAll(/dominant-baseline="central"/g, 'dy="0.35em"')}\n`;
}
