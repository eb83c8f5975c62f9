// The pictures of the benchmarks, read back from their SVG.
import { describe, expect, test } from "bun:test";
import { type Bar, barPanel } from "../../bench/charts/bars.ts";
import { COLORS, darkStyle } from "../../bench/charts/colors.ts";
import { drawPage, type Panel } from "../../bench/charts/page.ts";
import { type FileResultLine, latestOfSize, whereAndWhen } from "../../bench/charts/results.ts";
import { stepPanel, type Steps } from "../../bench/charts/steps.ts";
import { GiB } from "../../src/lib/units.ts";

interface Text {
  readonly words: string;
  /** Pixels, by letters of 0.6 times the font's size, as bold ones are in DejaVu Sans. */
  readonly left: number;
  readonly right: number;
  readonly y: number;
}

const page = (panels: readonly Panel[], footnotes: readonly string[] = ["where and when"]) =>
  drawPage({ title: "a <title> & more", panels, footnotes });

function textsOf(svg: string): Text[] {
  return Array.from(svg.matchAll(/<text ([^>]*)>([^<]*)<\/text>/g), ([, attributes = "", words = ""]) => {
    const number = (pattern: RegExp) => Number(pattern.exec(attributes)?.[1] ?? 0);
    const [size, moved] = [number(/font-size:([\d.]+)px/), number(/translate\(([\d.]+) /)];
    const x = moved + number(/ x="([\d.-]+)"/);
    const width = words.length * size * 0.6;
    const anchor = /text-anchor="(\w+)"/.exec(attributes)?.[1];
    const left = anchor === "end" ? x - width : anchor === "middle" ? x - width / 2 : x;
    const y = number(/translate\([\d.]+ ([\d.]+)\)/) + number(/ y="([\d.-]+)"/);
    return { words, left, right: left + width, y };
  });
}

/** The numbers below the first axis. */
function ticksOf(svg: string): number[] {
  const numbers = textsOf(svg).filter(({ words }) => /^[\d.]+$/.test(words));
  const line = numbers.find(({ words }) => words === "0")?.y;
  return numbers.filter(({ y }) => y === line).map(({ words }) => Number(words));
}

const bar = (label: string, value: number, note: string, highlighted = true): Bar => ({
  label,
  value,
  range: [value * 0.9, value * 1.3],
  note,
  highlighted,
});
const bars = [bar("a label of 22 letters,", 10, "and a note of 26, the most"), bar("b", 0.1, "c", false)];
const barPage = (footnotes?: readonly string[]) =>
  page([barPanel({ title: "panel", unit: "seconds, less is better", bars })], footnotes);

const steps: Steps = {
  title: "fleet",
  counted: "hosts that have it",
  unit: "seconds",
  count: 2,
  mark: { at: 1, label: "floor 1.0 s" },
  lines: [
    { label: "first", times: [2, 1.5], style: 0 },
    { label: "last", times: [100, 110], style: 1 },
  ],
};

describe("a page", () => {
  test("keeps words from being taken for tags", () => {
    expect(barPage()).toContain("<title>a &lt;title&gt; &amp; more</title>");
    expect(textsOf(barPage()).map(({ words }) => words)).toContain("a &lt;title&gt; &amp; more");
  });

  test("breaks footnotes so that none leaves it", () => {
    const words = "word ".repeat(60).trim();
    const footnotes = textsOf(barPage([words])).filter((text) => text.words.startsWith("word"));
    expect(footnotes.length).toBeGreaterThan(1);
    expect(footnotes.map((text) => text.words.trim()).join(" ")).toBe(words);
    // Small letters are narrower.
    for (const { left, right } of footnotes) expect(left + (right - left) * (0.52 / 0.6)).toBeLessThan(740);
    expect(new Set(footnotes.map(({ y }) => y)).size).toBe(footnotes.length);
  });

  test("cuts the title of a panel that would leave it", () => {
    const title = "word ".repeat(30).trim();
    const drawn = textsOf(page([barPanel({ title, unit: "s", bars })])).find(({ words }) =>
      words.startsWith("word"),
    );
    expect(drawn?.words).toEndWith("…");
    expect(drawn?.right).toBeLessThan(745);
  });

  test("has a colour for dark pages for everything that it draws", () => {
    const svg = page([barPanel({ title: "panel", unit: "s", bars }), stepPanel(steps)]);
    // Frames of width 0 around words; lines and clip paths have a fill that does not show.
    const visible = svg
      .replaceAll(/<path [^>]*fill-opacity="0"[^>]*>/g, "")
      .replaceAll(/(<path [^>]*)fill="#000"/g, "$1");
    const drawn = new Set(Array.from(visible.matchAll(/ (?:fill|stroke)="([^"]+)"/g), ([, color]) => color));
    drawn.delete("none");
    expect(drawn.size).toBeGreaterThan(5);
    expect([...drawn].filter((color) => !darkStyle().includes(`[fill="${color}"]`))).toEqual([]);
    expect(new Set(Object.values(COLORS)).size).toBe(Object.keys(COLORS).length);
  });
});

describe("bars", () => {
  test("leave room for the longest label and the longest note", () => {
    const texts = textsOf(barPage());
    for (const { label, note } of bars) {
      expect(texts.find(({ words }) => words === label)?.left).toBeGreaterThanOrEqual(20);
      expect(texts.find(({ words }) => words === note)?.right).toBeLessThanOrEqual(760 - 20);
    }
  });

  test("break a label that is longer", () => {
    const label = "word ".repeat(12).trim();
    const svg = page([barPanel({ title: "panel", unit: "s", bars: [bar(label, 1, "note")] })]);
    const lines = textsOf(svg).filter(({ words }) => words.startsWith("word"));
    expect(lines.length).toBeGreaterThan(1);
    for (const { left } of lines) expect(left).toBeGreaterThanOrEqual(0);
  });

  test("begin at zero, and their axis ends beyond the longest whisker", () => {
    const ticks = ticksOf(barPage());
    expect(ticks[0]).toBe(0);
    expect(ticks.at(-1)).toBeGreaterThanOrEqual(13);
  });
});

describe("steps", () => {
  test("that end much later than the others leave the plot, and the legend says so", () => {
    const svg = page([stepPanel(steps)]);
    const words = textsOf(svg).map((text) => text.words);
    expect(words).toContain("first");
    expect(words).toContain("last, beyond the right edge");
    expect(words.filter((text) => /^\d+$/.test(text)).map(Number)).not.toContain(100);
  });

  test("have the name of their mark and of both axes beside them", () => {
    const words = textsOf(page([stepPanel(steps)])).map((text) => text.words);
    for (const name of ["floor 1.0 s", "hosts that have it", "seconds"]) expect(words).toContain(name);
  });
});

describe("recorded lines", () => {
  const line = (date: string, size: number, fileSystem: string): FileResultLine => ({
    date,
    machine: { cores: 2, cpu: "a processor", kernel: "6.1.0-13" } as FileResultLine["machine"],
    versions: { bun: "1.4.5", "nginx + curl": "1.22 + 7.88" },
    rounds: 5,
    missing: [],
    size,
    fileSystem,
  });
  const lines = [
    line("2026-01-01", GiB, "tmpfs"),
    line("2026-01-02", 4 * GiB, "ext4"),
    line("2026-01-03", 4 * GiB, "tmpfs"),
    line("2026-01-04", 4 * GiB, "ext4"),
    line("2026-01-05", GiB, "tmpfs"),
  ];

  test("are shown of the largest size, or of the one that is named, the latest of each file system", () => {
    const dates = (size?: number) => latestOfSize(lines, size).map(({ date }) => date);
    expect(dates()).toEqual(["2026-01-03", "2026-01-04"]);
    expect(dates(GiB)).toEqual(["2026-01-05"]);
    expect(latestOfSize([], undefined)).toEqual([]);
  });

  test("tell where and when, with the versions of the programs that took part", () => {
    expect(whereAndWhen(line("2026-01-01T10:00:00Z", GiB, "tmpfs"), ["Bun", "aria2", "nginx + curl"])).toBe(
      "2 cores of a processor, Linux 6.1.0, Bun 1.4.5, nginx 1.22 + curl 7.88, 2026-01-01.",
    );
  });
});
