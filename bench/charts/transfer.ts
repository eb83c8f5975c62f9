// The picture of transfers: time on each file system, processor time, memory.
import { sizeName } from "../lib/size.ts";
import type { ContestantResult } from "../lib/transfer-report.ts";
import { type Bar, barPanel, type Bars } from "./bars.ts";
import type { Picture } from "./page.ts";
import { type FileResultLine, whereAndWhen, withoutMissing } from "./results.ts";

export interface TransferLine extends FileResultLine {
  readonly results: readonly ContestantResult[];
}

/** @param lines of one size, memory first. @returns undefined when there are none. */
export function transferPicture(lines: readonly TransferLine[]): Picture | undefined {
  const line = lines[0];
  if (line === undefined) return undefined;
  const onDisk = lines.some(({ fileSystem }) => fileSystem !== "tmpfs");
  return {
    title: `${sizeName(line.size)} from one seed to one leech over loopback, page cache warm`,
    panels: [...lines.map(wallBars), cpuBars(line), memoryBars(line)].map(barPanel),
    footnotes: [
      `Median of ${line.rounds} runs in turns; whiskers: fastest and slowest run. nginx + curl checks no hash of what arrives.`,
      ...(onDisk
        ? [
            "On a disk, the paler part is what it takes until the file is on it: p2pfile waits for that, others do not.",
          ]
        : []),
      ...withoutMissing(lines),
      whereAndWhen(line, ["Bun", "nginx + curl"]),
    ],
  };
}

function wallBars(line: TransferLine): Bars {
  const onDisk = line.fileSystem !== "tmpfs";
  return {
    title: onDisk ? `Time on ${line.fileSystem}` : "Time in memory (tmpfs)",
    unit: "seconds, less is better",
    bars: line.results.map((result) => {
      const { wall, durable, rate } = result;
      return {
        ...named(result),
        value: wall.median,
        range: [wall.min, wall.max],
        more: onDisk ? Math.max(0, durable.median - wall.median) : 0,
        note: `${wall.median.toFixed(2)} s · ${rate} MB/s`,
      };
    }),
  };
}

function cpuBars({ fileSystem, results }: TransferLine): Bars {
  return {
    title: `CPU time of the seed, and (paler) of the leech, ${fileSystem}`,
    unit: "seconds, less is better",
    bars: results.map((result) => ({
      ...named(result),
      value: result.seedCpu.median,
      more: result.leechCpu.median,
      note: `${result.seedCpu.median.toFixed(2)} + ${result.leechCpu.median.toFixed(2)} s`,
    })),
  };
}

function memoryBars({ fileSystem, results }: TransferLine): Bars {
  return {
    title: `Peak memory without mapped files: seed, and (paler) leech, ${fileSystem}`,
    unit: "MiB, less is better",
    bars: results.map((result) => {
      const [seed, leech] = [result.seedMemoryMiB.anonymous, result.leechMemoryMiB.anonymous];
      return {
        ...named(result),
        value: seed,
        more: leech,
        note: `${seed.toFixed(0)} + ${leech.toFixed(0)} MiB`,
      };
    }),
  };
}

function named({ name, version }: ContestantResult): Pick<Bar, "label" | "highlighted"> {
  // Two programs have two versions, too long for a label: they are in the line below the picture.
  const label = version === undefined || name.includes("+") ? name : `${name} ${version}`;
  return { label, highlighted: name === "p2pfile" };
}
