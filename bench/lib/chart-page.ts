// What every picture has around its panels: page, title, small lines below, colours that follow the reader's light or dark
// page; and how words and numbers are put on it. An SVG by hand. Knows nothing of what a panel shows.

export const PAGE_WIDTH = 760;
export const MARGIN = 24;
const TITLE_HEIGHT = 52;
const FOOTNOTE_STEP = 17;
/** Of a letter of the small lines, which nothing measures. */
const QUIET_LETTER_WIDTH = 6.6;

export interface ChartWords {
  readonly title: string;
  /** Small lines below: what was measured, where and when. */
  readonly footnotes: readonly string[];
}

/** Rules of the kind of chart, besides those of the page: always, and what is different on a dark page. */
export interface ChartStyle {
  readonly always: string;
  readonly dark: string;
}

export interface DrawnPanel {
  readonly height: number;
  /** @param top where on the page it begins. */
  readonly draw: (top: number) => string;
}

/** @returns the whole document. */
export function chartPage(
  { title, footnotes }: ChartWords,
  style: ChartStyle,
  panels: readonly DrawnPanel[],
): string {
  let y = TITLE_HEIGHT;
  const parts: string[] = [text(MARGIN, 34, title, "title")];
  for (const { height, draw } of panels) {
    parts.push(draw(y));
    y += height;
  }
  for (const line of footnotes.flatMap(brokenIntoLines)) {
    y += FOOTNOTE_STEP;
    parts.push(text(MARGIN, y, line, "quiet"));
  }
  const height = y + MARGIN - 4;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${PAGE_WIDTH}" height="${height}" viewBox="0 0 ${PAGE_WIDTH} ${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<style>${styleSheet(style)}\n</style>`,
    `<rect class="page" x="0.5" y="0.5" width="${PAGE_WIDTH - 1}" height="${height - 1}" rx="6"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function styleSheet({ always, dark }: ChartStyle): string {
  return `
  text { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; font-size: 13px; fill: #1f2328; }
  .page { fill: #ffffff; stroke: #d1d9e0; }
  .title { font-size: 17px; font-weight: 600; }
  .panel { font-weight: 600; }
  .quiet { fill: #59636e; font-size: 12px; }
  .strong { font-weight: 600; }
  .grid { stroke: #d1d9e0; }
  .zero { stroke: #59636e; }${always}
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .page { fill: #0d1117; stroke: #3d444d; }
    .quiet { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .zero { stroke: #9198a1; }${dark}
  }`;
}

/** A small line, broken between words where it would leave the page. */
function brokenIntoLines(footnote: string): string[] {
  const most = Math.floor((PAGE_WIDTH - 2 * MARGIN) / QUIET_LETTER_WIDTH);
  const lines: string[] = [];
  for (const word of footnote.split(" ")) {
    const longer = `${lines.at(-1) ?? ""} ${word}`;
    if (lines.length > 0 && longer.length <= most) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** 1, 2 or 5 times a power of ten, so that about `count` steps reach `end`. */
export function niceStep(end: number, count: number): number {
  const rough = end / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5].find((candidate) => candidate * power >= rough) ?? 10;
  return factor * power;
}

/** @param name class of the style sheet. */
export function text(x: number, y: number, words: string, name: string, anchor = "start"): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" class="${name}" text-anchor="${anchor}">${escape(words)}</text>`;
}

/** Pixels, to a tenth. */
export function fixed(value: number): string {
  return String(Number(value.toFixed(1)));
}

export function escape(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
