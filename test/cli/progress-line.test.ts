// The look of one line of progress: golden, because that is what people see.
import { describe, expect, test } from "bun:test";
import type { FileProgress } from "../../src/cli/file-progress.ts";
import type { LineStyle } from "../../src/cli/progress-line.ts";
import { liveLine, plainLine } from "../../src/cli/progress-line.ts";
import { snapshot } from "./session-script.ts";

const style = (columns: number, changes: Partial<LineStyle> = {}): LineStyle => ({
  columns,
  nameWidth: 9,
  colors: false,
  unicode: true,
  ...changes,
});
const downloading: FileProgress = snapshot();
const hashing: FileProgress = { ...downloading, phase: "hashing" };
const seeding: FileProgress = { ...downloading, phase: "seeding" };
const waiting: FileProgress = { ...downloading, phase: "metadata", peers: 0, seeds: 0 };

describe("liveLine", () => {
  const golden: readonly (readonly [FileProgress, LineStyle, string])[] = [
    [downloading, style(40), "model.bin      42%  ↓ 118 MiB/s"],
  ];
  for (const [file, style, line] of golden) {
    test(`${file.phase} at ${style.columns} columns`, () => expect(liveLine(file, style)).toBe(line));
  }

  for (const f of [downloading, hashing, seeding, waiting]) for (const c of [40,80,120]) for (const u of [true,false]) console.log(JSON.stringify(liveLine(f, style(c,{unicode:u}))));
  console.log(liveLine(downloading, style(100,{colors:true})));
  console.log(plainLine(downloading), plainLine(hashing), plainLine(seeding), plainLine(waiting));
});
