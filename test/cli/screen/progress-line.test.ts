// The look of one line of progress: golden, because that is what people see.
import { describe, expect, test } from "bun:test";
import type { FileProgress } from "../../../src/cli/screen/file-progress.ts";
import { fitText, padText } from "../../../src/cli/screen/fit-text.ts";
import type { LineStyle } from "../../../src/cli/screen/progress-line.ts";
import { liveLine, plainLine } from "../../../src/cli/screen/progress-line.ts";
import { snapshot } from "../session-script.ts";

const style = (columns: number, changes: Partial<LineStyle> = {}): LineStyle => ({
  columns,
  nameWidth: 9,
  colors: false,
  unicode: true,
  ...changes,
});
const downloading: FileProgress = snapshot();
const hashing: FileProgress = { ...downloading, phase: "hashing" };
const checking: FileProgress = { ...downloading, phase: "checking" };
const seeding: FileProgress = { ...downloading, phase: "seeding" };
const fleet: FileProgress = { ...seeding, hosts: 20, hostsDone: 7 };
const waiting: FileProgress = { ...downloading, phase: "metadata", peers: 0, seeds: 0 };

const golden: readonly (readonly [file: FileProgress, columns: number, unicode: boolean, line: string])[] = [
  [downloading, 40, true, "model.bin      42%  ↓ 118 MiB/s"],
  [downloading, 40, false, "model.bin      42%  down  118 MiB/s"],
  [downloading, 80, true, "model.bin      42%  █████░░░░░░░░░  ↓ 118 MiB/s  ETA 20s     12 peers (3 seeds)"],
  [downloading, 80, false, "model.bin      42%  [###-----]  down  118 MiB/s  ETA 20s     12 peers (3 seeds)"],
  [
    downloading,
    120,
    true,
    "model.bin      42%  █████████░░░░░░░░░░░░░  1.70 GiB/4.00 GiB  ↓ 118 MiB/s  ↑20.0 MiB/s  ETA 20s     12 peers (3 seeds)",
  ],
  [hashing, 40, true, "model.bin      42%  hashing"],
  [hashing, 80, true, "model.bin      42%  ████████████░░░░░░░░░░░░░░░░░░  hashing  1.70 GiB/4.00 GiB"],
  [hashing, 80, false, "model.bin      42%  [###########-----------------]  hashing  1.70 GiB/4.00 GiB"],
  [checking, 80, true, "model.bin      42%  ████████████░░░░░░░░░░░░░░░░░░  checking  1.70 GiB/4.00 GiB"],
  [seeding, 40, true, "model.bin     seeding  ↑20.0 MiB/s"],
  [seeding, 80, true, "model.bin     seeding  ↑20.0 MiB/s  1.00 GiB sent  12 peers (3 seeds)"],
  [fleet, 80, true, "model.bin     seeding  ↑20.0 MiB/s  12 peers (3 seeds)  7 of 20 hosts done"],
  [
    fleet,
    120,
    true,
    "model.bin     seeding  ↑20.0 MiB/s  1.00 GiB sent  12 peers (3 seeds)  7 of 20 hosts done",
  ],
  [waiting, 40, true, "model.bin     waiting for metadata"],
  [waiting, 80, true, "model.bin     waiting for metadata  0 peers"],
];

describe("liveLine", () => {
  for (const [file, columns, unicode, line] of golden) {
    test(`${file.phase} at ${columns} columns${unicode ? "" : " in ASCII"}`, () => {
      expect(liveLine(file, style(columns, { unicode }))).toBe(line);
    });
  }

  test("is never wider than the terminal less one, whatever the name and the phase", () => {
    const names = ["a", "x".repeat(300), "模型".repeat(40), "a\u001b[2J\u202eb", "👩‍👩‍👧‍👦".repeat(30)];
    for (const name of names) {
      for (const file of [downloading, hashing, seeding, waiting]) {
        for (let columns = 1; columns <= 200; columns++) {
          for (const changes of [{ unicode: false }, { colors: true }]) {
            const line = liveLine({ ...file, name }, style(columns, { nameWidth: 300, ...changes }));
            expect(Bun.stringWidth(line)).toBeLessThanOrEqual(Math.max(1, columns - 1));
          }
        }
      }
    }
  });

  test("keeps both ends of a long name and shows nothing that steers the terminal", () => {
    const long = { ...downloading, name: "llama-3.1-405b-instruct-00017-of-00191.safetensors" };
    expect(liveLine(long, style(120, { nameWidth: 50 }))).toStartWith(
      "llama-3.1-405b-instruct-….safetensors   42%  ",
    );
    const shard = { ...downloading, name: "model-00017-of-00191.safetensors" };
    expect(liveLine(shard, style(80, { nameWidth: 32 }))).toStartWith(
      "model-00017-of-00191.safetensors   42%  ",
    );
    const hostile = { ...downloading, name: "a\u001b[2Jb" };
    expect(liveLine(hostile, style(80))).not.toContain("\u001b");
    expect(plainLine(hostile)).toStartWith("a\\u{1b}[2Jb: ");
  });

  test("has colours only when asked, and they take no room", () => {
    const colored = liveLine(downloading, style(80, { colors: true }));
    expect(colored).toContain("\u001b[36m█");
    expect(Bun.stripANSI(colored)).toBe(liveLine(downloading, style(80)));
  });

  test("says 100% only of what is whole", () => {
    const almost = { ...downloading, completed: downloading.size - 1 };
    expect(liveLine(almost, style(80))).toContain(" 99% ");
    expect(liveLine({ ...almost, size: 0, completed: 0 }, style(80))).toContain(" 0% ");
  });
});

describe("plainLine", () => {
  test("is a sentence per phase", () => {
    expect([downloading, hashing, seeding, fleet, waiting].map(plainLine)).toEqual([
      "model.bin: 42% of 4.00 GiB, 118 MiB/s down, 20.0 MiB/s up, ETA 20s, 12 peers (3 seeds)",
      "model.bin: hashing, 42% of 4.00 GiB",
      "model.bin: seeding, 20.0 MiB/s up, 1.00 GiB in all, 12 peers (3 seeds)",
      "model.bin: seeding, 20.0 MiB/s up, 1.00 GiB in all, 12 peers (3 seeds), 7 of 20 hosts done",
      "model.bin: waiting for metadata, 0 peers",
    ]);
    const phases = ["checking", "complete", "failed", "ended"] as const;
    expect(phases.map((phase) => plainLine({ ...downloading, phase }))).toEqual([
      "model.bin: checking, 42% of 4.00 GiB",
      "model.bin: complete",
      "model.bin: failed",
      "model.bin: ended",
    ]);
    expect(plainLine({ ...fleet, hosts: 1, hostsDone: 1, seeds: 0 })).toEndWith("12 peers, 1 of 1 host done");
    const stalled = {
      ...downloading,
      downloadRate: 0,
      uploadRate: 0,
      etaSeconds: Infinity,
      peers: 1,
      seeds: 1,
    };
    expect(plainLine(stalled)).toBe("model.bin: 42% of 4.00 GiB, 0 B/s down, 0 B/s up, 1 peer (1 seed)");
  });
});

describe("fitText", () => {
  test("cuts in the middle, never a character in half", () => {
    expect(fitText("abcdefghij", 10, "…")).toBe("abcdefghij");
    expect(fitText("abcdefghij", 7, "…")).toBe("abcd…ij");
    expect(fitText("abcdefghij", 7, "...")).toBe("abc...j");
    expect(fitText("abcdefghij", 2, "...")).toBe("ab");
    expect(padText("模型模型模型", 8, "…")).toBe("模型…型 ");
    expect(padText("ab", 4, "…")).toBe("ab  ");
  });
});
