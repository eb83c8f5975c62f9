import { describe, expect, test } from "bun:test";
import { type Bar, barChart } from "../../bench/lib/bar-chart.ts";

const bar = (label: string, value: number, note: string): Bar => ({ label, value, note, highlighted: true });
const chartOf = (bars: Bar[], footnotes: string[] = []) =>
  barChart({ title: "a <title> & more", panels: [{ title: "panel", axis: "s", bars }], footnotes });

interface Text {
  readonly x: number;
  readonly y: number;
  readonly anchor: string;
  readonly words: string;
}

function textsOf(svg: string): Text[] {
  const pattern = /<text x="([\d.]+)" y="([\d.]+)" class="[^"]*" text-anchor="(\w+)">([^<]*)<\/text>/g;
  return Array.from(svg.matchAll(pattern), ([, x, y, anchor = "", words = ""]) => ({
    x: Number(x),
    y: Number(y),
    anchor,
    words,
  }));
}

describe("barChart", () => {
  const label = "a label of thirty letters, more";
  const note = "and a note of forty letters, which is long";
  const svg = chartOf([bar(label, 10, note), bar("b", 0.1, "c")], ["word ".repeat(60).trim()]);
  const texts = textsOf(svg);
  const find = (words: string) => texts.find((text) => text.words === words)!;

  test("leaves room for the longest label and the longest note", () => {
    expect(find(label).x - label.length * 8).toBeGreaterThanOrEqual(20);
    expect(find(note).x + note.length * 8).toBeLessThanOrEqual(760 - 20);
    expect(find("b").x).toBe(find(label).x);
  });

  test("breaks footnotes so that none leaves the page", () => {
    const footnotes = texts.filter(({ words }) => words.startsWith("word "));
    expect(footnotes.length).toBeGreaterThan(1);
    expect(footnotes.map(({ words }) => words).join(" ")).toBe("word ".repeat(60).trim());
    for (const { words } of footnotes) expect(words.length * 6.6).toBeLessThanOrEqual(760 - 48);
    expect(new Set(footnotes.map(({ y }) => y)).size).toBe(footnotes.length);
  });

  test("begins every axis at zero and ends it beyond the longest bar", () => {
    const ticks = texts.filter(({ anchor }) => anchor === "middle").map(({ words }) => Number(words));
    expect([ticks[0], ticks.at(-1)]).toEqual([0, 10]);
  });

  test("keeps words from being taken for tags", () => {
    expect(svg).toContain("a &lt;title&gt; &amp; more");
  });
});
