// Pictures of the latest results for the README: bench/results/transfer.svg and hash.svg, from the .jsonl files there.
// Usage: npm run bench -- plot [--out DIRECTORY] [--size SIZE] [--from DIRECTORY]
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Bar, barChart, type Chart, type Panel } from "./lib/bar-chart.ts";
import type { Machine } from "./lib/machine.ts";
import { readResults, resultsPath } from "./lib/result-lines.ts";
import { parseSize, sizeName } from "./lib/size.ts";
import type { Spread } from "./lib/statistics.ts";
import type { ContestantResult } from "./lib/transfer-report.ts";
import { GiB } from "../src/lib/units.ts";

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
  readonly sizeGiB: number;
  readonly runs: number;
  readonly openssl: Spread;
  readonly results: readonly { readonly name: string; readonly rate: Spread; readonly ratio: number }[];
}

/** The latest line of each file system, all of the size that was measured last, or of `--size`. */
function latestTransfers(): TransferLine[] {
  // Written by transfer.ts and nobody else.
  const lines = readResults(join(flags.from, "transfer.jsonl")) as TransferLine[];
  const size = flags.size === undefined ? lines.at(-1)?.size : parseSize(flags.size);
  const latest = new Map<string, TransferLine>();
  for (const line of lines) if (line.size === size) latest.set(line.fileSystem, line);
  const memoryFirst = (line: TransferLine) => (line.fileSystem === "tmpfs" ? 0 : 1);
  return [...latest.values()].toSorted((a, b) => memoryFirst(a) - memoryFirst(b));
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

function hashChart(line: HashLine | undefined): Chart | undefined {
  if (line === undefined) return undefined;
  const bar = (label: string, rate: Spread, note: string, highlighted: boolean): Bar => ({
    label,
    value: rate.median,
    range: [rate.min, rate.max],
    note,
    highlighted,
  });
  const ours = line.results.map(({ name, rate, ratio }) =>
    bar(name, rate, `${rate.median} · ${ratio.toFixed(2)} ×`, !name.startsWith("no pool")),
  );
  const reference = bar("openssl, 1 core", line.openssl, `${line.openssl.median} · 1 ×`, false);
  return {
    title: `SHA-1 of the pieces of a file of ${sizeName(line.sizeGiB * GiB)} in the page cache`,
    panels: [
      {
        title: "Rate, and times one core of OpenSSL",
        axis: "MB/s, more is better",
        bars: [reference, ...ours],
      },
    ],
    footnotes: [
      `Median of ${line.runs} runs in turns; whiskers: slowest and fastest run.`,
      whereAndWhen(line),
    ],
  };
}

function whereAndWhen({ date, machine, versions }: Line): string {
  const { cores, cpu, kernel } = machine;
  const nginx = versions["nginx + curl"];
  const tools = [
    `Bun ${versions["bun"] ?? "?"}`,
    ...(nginx === undefined ? [] : [`nginx ${nginx.replace("+ ", "+ curl ")}`]),
  ];
  return `${cores} cores of ${cpu}, Linux ${kernel.split("-")[0]}, ${tools.join(", ")}, ${date.slice(0, 10)}.`;
}

function draw(name: string, chart: Chart | undefined): void {
  if (chart === undefined) {
    console.error(`no results of ${name} to draw`);
    return;
  }
  const path = join(resolve(flags.out), `${name}.svg`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, barChart(chart));
  console.log(path);
}

draw("transfer", transferChart(latestTransfers()));
// Written by hash.ts and nobody else.
draw("hash", hashChart(readResults(join(flags.from, "hash.jsonl")).at(-1) as HashLine | undefined));
