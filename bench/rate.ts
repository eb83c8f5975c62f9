// Whether --upload-limit and --download-limit hold, by the kernel's counters of a link between two network namespaces:
// over every ten seconds, in the worst tenth of one, and shared between eight leeches. Needs root. Adds a line to
// bench/results/rate.jsonl.
// Usage: npm run bench -- rate [--seconds N] [--runs N] [--only upload,download,fairness] [--binary FILE] [--results FILE]
//   [--samples DIRECTORY]
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { GiB, MiB } from "../src/lib/units.ts";
import { CONTENT_NAME, SEED_TIMEOUT_MS } from "./contestants/contestant.ts";
import { buildOf, EXECUTABLE } from "./contestants/p2pfile.ts";
import { Workspace } from "./lib/workspace.ts";
import { assertSameContent, writeContent } from "./lib/content-file.ts";
import { freeSpace } from "./lib/file-system.ts";
import { type Load, LoadMeter } from "./lib/machine-load.ts";
import { availableMemory, describeMachine } from "./lib/machine.ts";
import { markdownTable } from "./lib/markdown-table.ts";
import { appendResult, commandLine, resultsPath } from "./lib/result-lines.ts";
import { NotPossible } from "./lib/net-namespace.ts";
import { sizeName } from "./lib/size.ts";
import { rounded } from "./lib/statistics.ts";
import { SHARED_MEMORY } from "./lib/warm-pages.ts";
import { RateNetwork, SEED_ADDRESS } from "./rate-network.ts";
import { between, bytesAt, longestGap, type Sample, seriesOf, windowRates } from "./rate-windows.ts";

/** With fewer runs the figures are for the eye, not for the books. */
const RUNS_TO_RECORD = 3;
const LONG_WINDOW_MS = 10_000;
const SHORT_WINDOW_MS = 100;
/** What the limits promise: this much off over every long window, this multiple in the worst short one. */
const MAX_DEVIATION_PERCENT = 3;
const MAX_SHORT_MULTIPLE = 2;
/** At both ends this much does not count: finding each other, metadata, the last blocks. */
const EDGE_LENGTH = 1 * MiB;

const { values: flags } = parseArgs({
  options: {
    seconds: { type: "string", default: "15" },
    runs: { type: "string", default: "3" },
    only: { type: "string", default: "upload,download,fairness" },
    binary: { type: "string", default: EXECUTABLE },
    results: { type: "string" },
    /** Keeps the counters as they were read, one file per run. */
    samples: { type: "string" },
  },
});
const seconds = Number(flags.seconds);
const runs = Number(flags.runs);
if (!(seconds >= 12)) throw new Error("--seconds wants 12 or more: the windows are ten long");
if (!(Number.isInteger(runs) && runs > 0)) throw new Error("--runs wants a number above 0");
const executable = resolve(flags.binary);
const version = buildOf("p2pfile", executable).version();
if (version === undefined) throw new Error(`${executable} does not run: \`npm run build\``);

interface Case {
  readonly name: string;
  /** MiB/s, of the process that is limited. */
  readonly limit: number;
  readonly seedFlags: readonly string[];
  readonly leechFlags: readonly string[];
  readonly leeches: number;
}

const CASES: readonly Case[] = [
  { name: "upload", limit: 50, seedFlags: ["--upload-limit", "50"], leechFlags: [], leeches: 1 },
  { name: "download", limit: 200, seedFlags: [], leechFlags: ["--download-limit", "200"], leeches: 1 },
  { name: "fairness", limit: 50, seedFlags: ["--upload-limit", "50"], leechFlags: [], leeches: 8 },
];

interface Figures {
  /** Percent off the limit, of the long windows with the least and the most. */
  readonly slowest: number;
  readonly fastest: number;
  /** Worst short window, as a multiple of what the limit lets through in that time. */
  readonly burst: number;
  /** MiB of each leech in ten seconds, from when all were being served; empty with one leech. */
  readonly shares: readonly number[];
  /** Longest time between two looks at the counters, in milliseconds. */
  readonly gap: number;
  /** With all cores busy the machine, and not the limit, sets the rate. */
  readonly load: Load;
}

/** A file for one leech that lasts: with several, what the first get before the last has come, comes on top. */
function sizeOf({ limit, leeches }: Case): number {
  const size = (limit * MiB * seconds) / leeches + (leeches > 1 ? limit * MiB : 0);
  return Math.ceil(size / MiB) * MiB;
}

async function play(workspace: Workspace, one: Case, run: number): Promise<Figures> {
  const size = sizeOf(one);
  const files = size * (1 + one.leeches);
  if (freeSpace(SHARED_MEMORY) < files + 64 * MiB || availableMemory() < files + GiB) {
    throw new Error(`${one.leeches + 1} copies of ${sizeName(size)} do not fit the memory`);
  }
  const network = new RateNetwork(one.leeches);
  const folder = workspace.folder(SHARED_MEMORY);
  const folders = [folder];
  try {
    const content = join(folder, CONTENT_NAME);
    writeContent(content, size);
    const serve = [executable, "serve", "--ip", SEED_ADDRESS, ...one.seedFlags, content];
    const seed = workspace.spawn(network.onSeed(serve), { cwd: folder, log: join(folder, "stderr") });
    const magnet = await seed.waitForOutput(/^(magnet:\S+)$/m, SEED_TIMEOUT_MS);
    const numbers = Array.from({ length: one.leeches }, (_, i) => i);
    const sample = [process.execPath, join(import.meta.dir, "rate-sampler.ts")];
    const interfaces = numbers.map((number) => network.interfaceTo(number));
    const sampler = workspace.spawn(network.onSeed([...sample, ...interfaces]), {
      cwd: folder,
      log: join(folder, "sampler-stderr"),
    });
    await sampler.waitForOutput(/^(ready)$/m, 5_000);
    const leeches = numbers.map((number) => {
      const leechFolder = workspace.folder(SHARED_MEMORY);
      folders.push(leechFolder);
      const address = network.leechAddress(number);
      const command = [executable, "download", "--ip", address, ...one.leechFlags, magnet];
      return workspace.spawn(network.onLeech(number, command), {
        cwd: leechFolder,
        log: join(leechFolder, "stderr"),
      });
    });
    const loadMeter = new LoadMeter();
    await Promise.all(leeches.map((leech) => leech.waitForSuccess(3_000 * seconds + 30_000)));
    const load = loadMeter.stop();
    sampler.signal("SIGTERM");
    await sampler.ended();
    for (const leechFolder of folders.slice(1)) assertSameContent(content, join(leechFolder, CONTENT_NAME));
    for (const child of [seed, sampler, ...leeches]) await workspace.end(child);
    const rows = JSON.parse(sampler.output.slice(sampler.output.indexOf("["))) as number[][];
    if (flags.samples !== undefined)
      writeFileSync(join(flags.samples, `${one.name}-${run}.json`), JSON.stringify(rows));
    return { ...figuresOf(one, rows, size), load };
  } finally {
    for (const path of folders) workspace.remove(path);
    network.remove();
  }
}

function figuresOf(one: Case, rows: readonly (readonly number[])[], size: number): Omit<Figures, "load"> {
  const links = Array.from({ length: one.leeches }, (_, i) => i);
  const perLeech = links.map((link) => seriesOf(rows, [link]));
  const together = seriesOf(rows, links);
  const served = perLeech.map((series) => between(series, EDGE_LENGTH, size - EDGE_LENGTH));
  // From the first that is served to the first that has everything: demand is above the limit all the time.
  const from = Math.min(...served.map((series) => series[0]?.at ?? Number.NaN));
  const to = Math.min(...served.map((series) => series.at(-1)?.at ?? Number.NaN));
  const busy = together.filter(({ at }) => at >= from && at <= to);
  const limit = one.limit * MiB;
  const long = windowRates(busy, LONG_WINDOW_MS);
  const short = windowRates(busy, SHORT_WINDOW_MS);
  if (long.length === 0) throw new Error(`${one.name}: it took less than ${LONG_WINDOW_MS} ms`);
  const percent = (rate: number) => rounded((rate / limit - 1) * 100, 2);
  return {
    slowest: percent(Math.min(...long)),
    fastest: percent(Math.max(...long)),
    burst: rounded(Math.max(...short) / limit, 2),
    shares: one.leeches > 1 ? sharesOf(perLeech, served) : [],
    gap: rounded(longestGap(busy), 1),
  };
}

function sharesOf(
  perLeech: readonly (readonly Sample[])[],
  served: readonly (readonly Sample[])[],
): number[] {
  const start = Math.max(...served.map((series) => series[0]?.at ?? Number.NaN));
  return perLeech.map((series) => {
    const [before, after] = [bytesAt(series, start), bytesAt(series, start + LONG_WINDOW_MS)];
    if (before === undefined || after === undefined)
      throw new Error("fairness: it took less than ten seconds");
    return rounded((after - before) / MiB, 2);
  });
}

/** 1 is fair. */
function unevenness(shares: readonly number[]): number {
  return rounded(Math.min(...shares) / Math.max(...shares), 3);
}

interface Result extends Omit<Case, "seedFlags" | "leechFlags"> {
  readonly size: number;
  readonly holds: boolean;
  readonly runs: readonly Figures[];
}

function tableOf(results: readonly Result[]): string {
  const signed = (value: number) => `${value > 0 ? "+" : ""}${value.toFixed(2)} %`;
  const rows = results.map(({ name, limit, leeches, runs, holds }) => [
    `${name} ${limit} MiB/s, ${leeches} ${leeches === 1 ? "leech" : "leeches"}`,
    signed(Math.min(...runs.map(({ slowest }) => slowest))),
    signed(Math.max(...runs.map(({ fastest }) => fastest))),
    `${Math.max(...runs.map(({ burst }) => burst)).toFixed(2)} x`,
    leeches > 1 ? Math.min(...runs.map(({ shares }) => unevenness(shares))).toFixed(3) : "",
    Math.max(...runs.map(({ gap }) => gap)).toFixed(0),
    Math.max(...runs.map(({ load }) => load.busyCores)).toFixed(2),
    holds ? "yes" : "NO",
  ]);
  const header = [
    "worst of all runs",
    "slowest 10 s",
    "fastest 10 s",
    "fastest 100 ms",
    "min/max share",
    "gap ms",
    "busy cores",
    "holds",
  ];
  return markdownTable(header, rows);
}

const workspace = new Workspace();
const results: Result[] = [];
try {
  const wanted = flags.only.split(",");
  for (const one of CASES.filter(({ name }) => wanted.includes(name))) {
    const figures: Figures[] = [];
    for (let run = 1; run <= runs; run++) {
      const figure = await play(workspace, one, run);
      figures.push(figure);
      const shares = figure.shares.length > 0 ? `, MiB of each: ${figure.shares.join(" ")}` : "";
      console.error(
        `${one.name} run ${run}: ${figure.slowest} to ${figure.fastest} %, worst ${SHORT_WINDOW_MS} ms ${figure.burst} x, ${figure.load.busyCores} cores busy${shares}`,
      );
    }
    const holds = figures.every(
      ({ slowest, fastest, burst }) =>
        slowest >= -MAX_DEVIATION_PERCENT && fastest <= MAX_DEVIATION_PERCENT && burst < MAX_SHORT_MULTIPLE,
    );
    const { name, limit, leeches } = one;
    results.push({ name, limit, leeches, size: sizeOf(one), holds, runs: figures });
  }
  console.log(`\n${tableOf(results)}`);
  if (runs < RUNS_TO_RECORD && flags.results === undefined) {
    console.log(`\nNot recorded: fewer than ${RUNS_TO_RECORD} runs.`);
  } else {
    appendResult(flags.results ?? resultsPath("rate"), {
      date: new Date().toISOString(),
      command: commandLine("rate"),
      machine: describeMachine(),
      versions: { bun: Bun.version, p2pfile: version },
      rounds: runs,
      bars: { deviationPercent: MAX_DEVIATION_PERCENT, shortMultiple: MAX_SHORT_MULTIPLE },
      results,
    });
  }
} catch (error) {
  if (!(error instanceof NotPossible)) throw error;
  console.error(`rate: ${error.message}`);
  process.exit(1);
} finally {
  await workspace.close();
}
process.exit(results.every(({ holds }) => holds) ? 0 : 1);
