// The picture of hashing: rate on each file system, processor time, lateness of the event loop.
import { formatBytes, GiB } from "../../src/lib/units.ts";
import type { HashResult } from "../hash/report.ts";
import { sizeName } from "../lib/size.ts";
import { type Bar, barPanel, type Bars } from "./bars.ts";
import type { Picture } from "./page.ts";
import { type FileResultLine, whereAndWhen, withoutMissing } from "./results.ts";

export interface HashLine extends FileResultLine {
  readonly pieceLength: number;
  /** Name of what the ratios are to. Lines without one have other fields and are not drawn. */
  readonly reference?: string;
  readonly results: readonly HashResult[];
}

/** @param lines of one size, memory first. @returns undefined when there are none. */
export function hashPicture(lines: readonly HashLine[]): Picture | undefined {
  const line = lines[0];
  if (line === undefined) return undefined;
  return {
    title: `SHA-1 of the pieces of a file of ${sizeName(line.size)} in the page cache`,
    panels: [...lines.map(rateBars), cpuBars(line), lateBars(line)].map(barPanel),
    footnotes: [
      `Median of ${line.rounds} runs in turns; whiskers: slowest and fastest. Pieces of ${formatBytes(line.pieceLength)}; × is times ${line.reference}.`,
      "map and pread: how a worker reads. create: the whole file in one call; verify: each piece in a call of its own.",
      "p2pfile serve, mktorrent and openssl dgst are whole processes; openssl speed hashes 16 KiB again and again.",
      ...withoutMissing(lines),
      whereAndWhen(line, ["Bun", "openssl", "mktorrent"]),
    ],
  };
}

function rateBars({ fileSystem, results }: HashLine): Bars {
  return {
    title: fileSystem === "tmpfs" ? "Rate in memory (tmpfs)" : `Rate on ${fileSystem}`,
    unit: "GB/s, more is better",
    bars: shown(results).flatMap(({ name, rate, ratioOfMedians }) => {
      if (rate === undefined) return [];
      const ratio = ratioOfMedians === undefined ? "" : ` · ${ratioOfMedians.toFixed(2)} ×`;
      const range = [rate.min, rate.max] as const;
      return [{ ...named(name), value: rate.median, range, note: `${rate.median.toFixed(2)} GB/s${ratio}` }];
    }),
  };
}

function cpuBars({ fileSystem, size, results }: HashLine): Bars {
  const perGiB = (seconds: number) => (seconds * GiB) / size;
  return {
    title: `CPU time per GiB, all threads and processes, ${fileSystem}`,
    unit: "seconds, less is better",
    bars: shown(results).flatMap(({ name, rate, cpu }) => {
      if (rate === undefined || cpu === undefined) return [];
      const range = [perGiB(cpu.min), perGiB(cpu.max)] as const;
      const value = perGiB(cpu.median);
      return [{ ...named(name), value, range, note: `${value.toFixed(2)} s` }];
    }),
  };
}

function lateBars({ fileSystem, results }: HashLine): Bars {
  return {
    title: `Lateness of the event loop meanwhile, 99th percentile, ${fileSystem}`,
    unit: "ms, less is better",
    bars: shown(results).flatMap(({ name, delayMs }) => {
      if (delayMs === undefined) return [];
      const { p50, p99, max } = delayMs;
      const note = `${p99.toFixed(1)} ms · median ${p50.toFixed(1)}, max ${max.toFixed(0)}`;
      return [{ ...named(name), value: p99, note }];
    }),
  };
}

/** Recorded lines also have rows of a bare loop, which differ from the pool's by less than the eye sees. */
function shown(results: readonly HashResult[]): readonly HashResult[] {
  return results.filter(({ name }) => !name.startsWith("loop "));
}

function named(name: string): Pick<Bar, "label" | "highlighted"> {
  return { label: name, highlighted: /^(create|verify|p2pfile) /.test(name) };
}
