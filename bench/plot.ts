// Pictures of the latest results for the README: bench/results/transfer.svg and hash.svg, from the .jsonl files there.
// Usage: npm run bench -- plot [--out DIRECTORY] [--size SIZE] [--from DIRECTORY]
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { HashResult } from "./hash/report.ts";
import { barChart, type Chart, type Panel } from "./lib/bar-chart.ts";
import { type FleetLine, fleetPicture } from "./lib/fleet-chart.ts";
import type { Machine } from "./lib/machine.ts";
import { readResults, resultsPath } from "./lib/result-lines.ts";
import { parseSize, sizeName } from "./lib/size.ts";
import type { ContestantResult } from "./lib/transfer-report.ts";
import { formatBytes, GiB } from "../src/lib/units.ts";

const { values: flags } = parseArgs({
  options: {
    from: { type: "string", default: dirname(resultsPath("transfer")) },
    out: { type: "string", default: dirname(resultsPath("transfer")) },
    size: { type: "string" },
  },
});

interface Line {
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string | undefined>>;
}

interface TransferLine extends Line {
  readonly fileSystem: string;
  readonly size: number;
  readonly rounds: number;
  readonly results: readonly ContestantResult[];
  readonly missing: readonly { readonly name: string }[];
}

interface HashLine extends Line {
  readonly fileSystem: string;
  readonly size: number;
  readonly pieceLength: number;
  readonly rounds: number;
  /** Name of what the ratios are to; older lines have none, and other fields. */
  readonly reference?: string;
  readonly results: readonly HashResult[];
  readonly missing: readonly { readonly name: string }[];
}

/** The latest line of each file system, memory first, all of the size that was measured last, or of `--size`. */
function latest<T extends TransferLine | HashLine>(lines: readonly T[]): T[] {
  const size = flags.size === undefined ? lines.at(-1)?.size : parseSize(flags.size);
  const bySystem = new Map<string, T>();
  for (const line of lines) if (line.size === size) bySystem.set(line.fileSystem, line);
  const memoryFirst = (line: T) => (line.fileSystem === "tmpfs" ? 0 : 1);
  return [...bySystem.values()].toSorted((a, b) => memoryFirst(a) - memoryFirst(b));
}

function transferChart(lines: readonly TransferLine[]): Chart | undefined {
  const line = lines[0];
  if (line === undefined) return undefined;
  const missing = [...new Set(lines.flatMap((one) => one.missing.map(({ name }) => name)))];
  return {
    title: `${sizeName(line.size)} from one seed to one leech over loopback, page cache warm`,
    panels: [...lines.map(wallPanel), cpuPanel(line), memoryPanel(line)],
    footnotes: [
      `Median of ${line.rounds} runs in turns; whiskers: fastest and slowest run. nginx + curl checks no hash of what arrives.`,
      ...(lines.some(({ fileSystem }) => fileSystem !== "tmpfs")
        ? [
            "On a disk, the paler part is what it takes until the file is on it: p2pfile waits for that, others do not.",
          ]
        : []),
      ...(missing.length > 0 ? [`Without: ${missing.join(", ")}.`] : []),
      whereAndWhen(line),
    ],
  };
}

function wallPanel(line: TransferLine): Panel {
  const onDisk = line.fileSystem !== "tmpfs";
  return {
    title: onDisk ? `Time on ${line.fileSystem}` : "Time in memory (tmpfs)",
    axis: "seconds, less is better",
    bars: line.results.map(({ name, version, wall, durable, rate }) => ({
      label: labelOf(name, version),
      value: wall.median,
      range: [wall.min, wall.max],
      more: onDisk ? Math.max(0, durable.median - wall.median) : 0,
      note: `${wall.median.toFixed(2)} s · ${rate} MB/s`,
      highlighted: name === "p2pfile",
    })),
  };
}

function cpuPanel(line: TransferLine): Panel {
  return {
    title: "CPU time of the seed, and (paler) of the leech",
    axis: "seconds, less is better",
    bars: line.results.map(({ name, version, seedCpu, leechCpu }) => ({
      label: labelOf(name, version),
      value: seedCpu.median,
      more: leechCpu.median,
      note: `${seedCpu.median.toFixed(2)} + ${leechCpu.median.toFixed(2)} s`,
      highlighted: name === "p2pfile",
    })),
  };
}

function memoryPanel(line: TransferLine): Panel {
  return {
    title: "Peak memory without mapped files: seed, and (paler) leech",
    axis: "MiB, less is better",
    bars: line.results.map(({ name, version, seedMemoryMiB, leechMemoryMiB }) => ({
      label: labelOf(name, version),
      value: seedMemoryMiB.anonymous,
      more: leechMemoryMiB.anonymous,
      note: `${seedMemoryMiB.anonymous.toFixed(0)} + ${leechMemoryMiB.anonymous.toFixed(0)} MiB`,
      highlighted: name === "p2pfile",
    })),
  };
}

function labelOf(name: string, version: string | undefined): string {
  // Two programs have two versions, too long for a label: they are in the line below the picture.
  return version === undefined || name.includes("+") ? name : `${name} ${version}`;
}

function hashChart(lines: readonly HashLine[]): Chart | undefined {
  const line = lines[0];
  if (line === undefined) return undefined;
  const missing = [...new Set(lines.flatMap((one) => one.missing.map(({ name }) => name)))];
  return {
    title: `SHA-1 of the pieces of a file of ${sizeName(line.size)} in the page cache`,
    panels: [...lines.map(ratePanel), hashCpuPanel(line), latePanel(line)],
    footnotes: [
      `Median of ${line.rounds} runs in turns; whiskers: slowest and fastest run. Pieces of ${formatBytes(line.pieceLength)}; × is times ${line.reference}.`,
      "map and pread: how a worker reads. create: the whole file in one call; verify: each piece in a call of its own.",
      "p2pfile serve, mktorrent and openssl dgst are whole processes; openssl speed hashes 16 KiB again and again.",
      ...(missing.length > 0 ? [`Without: ${missing.join(", ")}.`] : []),
      whereAndWhen(line),
    ],
  };
}

function ratePanel({ fileSystem, results }: HashLine): Panel {
  return {
    title: fileSystem === "tmpfs" ? "Rate in memory (tmpfs)" : `Rate on ${fileSystem}`,
    axis: "GB/s, more is better",
    bars: results.flatMap(({ name, rate, ratioOfMedians }) => {
      if (rate === undefined || isLoop(name)) return [];
      const ratio = ratioOfMedians === undefined ? "" : ` · ${ratioOfMedians.toFixed(2)} ×`;
      return [
        {
          label: name,
          value: rate.median,
          range: [rate.min, rate.max] as const,
          note: `${rate.median.toFixed(2)} GB/s${ratio}`,
          highlighted: isOurs(name),
        },
      ];
    }),
  };
}

function hashCpuPanel({ fileSystem, size, results }: HashLine): Panel {
  return {
    title: `CPU time per GiB, all threads and processes, ${fileSystem}`,
    axis: "seconds, less is better",
    bars: results.flatMap(({ name, rate, cpu }) => {
      if (rate === undefined || cpu === undefined || isLoop(name)) return [];
      const perGiB = (seconds: number) => (seconds * GiB) / size;
      return [
        {
          label: name,
          value: perGiB(cpu.median),
          range: [perGiB(cpu.min), perGiB(cpu.max)] as const,
          note: `${perGiB(cpu.median).toFixed(2)} s`,
          highlighted: isOurs(name),
        },
      ];
    }),
  };
}

function latePanel({ fileSystem, results }: HashLine): Panel {
  return {
    title: `Lateness of the event loop meanwhile, 99th percentile, ${fileSystem}`,
    axis: "ms, less is better",
    bars: results.flatMap(({ name, delayMs }) => {
      if (delayMs === undefined || isLoop(name)) return [];
      const { p50, p99, max } = delayMs;
      return [
        {
          label: name,
          value: p99,
          note: `${p99.toFixed(1)} ms · median ${p50.toFixed(1)}, max ${max.toFixed(0)}`,
          highlighted: isOurs(name),
        },
      ];
    }),
  };
}

/** It is there to be compared with the pool, which the table does. */
function isLoop(name: string): boolean {
  return name.startsWith("loop ");
}

function isOurs(name: string): boolean {
  return /^(create|verify|p2pfile) /.test(name);
}

function whereAndWhen({ date, machine, versions }: Line): string {
  const { cores, cpu, kernel } = machine;
  const nginx = versions["nginx + curl"];
  const tools = [
    `Bun ${versions["bun"] ?? "?"}`,
    ...["openssl", "mktorrent"].flatMap((name) => {
      const version = versions[name];
      return version === undefined ? [] : [`${name} ${version}`];
    }),
    ...(nginx === undefined ? [] : [`nginx ${nginx.replace("+ ", "+ curl ")}`]),
  ];
  return `${cores} cores of ${cpu}, Linux ${kernel.split("-")[0]}, ${tools.join(", ")}, ${date.slice(0, 10)}.`;
}

function draw(name: string, chart: Chart | undefined): void {
  save(name, chart === undefined ? undefined : barChart(chart));
}

function save(name: string, picture: string | undefined): void {
  if (picture === undefined) {
    console.error(`no results of ${name} to draw`);
    return;
  }
  const path = join(resolve(flags.out), `${name}.svg`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, picture);
  console.log(path);
}

// The lines were written by transfer.ts, hash.ts and fleet.ts and nobody else.
const transfers = readResults(join(flags.from, "transfer.jsonl")) as TransferLine[];
draw("transfer", transferChart(latest(transfers)));
const hashes = (readResults(join(flags.from, "hash.jsonl")) as HashLine[]).filter(
  ({ reference }) => reference !== undefined,
);
draw("hash", hashChart(latest(hashes)));
save("fleet", fleetPicture(readResults(join(flags.from, "fleet.jsonl")) as FleetLine[]));
