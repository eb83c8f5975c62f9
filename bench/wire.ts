// How fast blocks move between two processes on loopback through framer, Wire and sockets: from memory to memory, without
// disk, hashes and session. Beside it the same bytes through a bare pair of Bun's sockets, in turns. Prints a table, adds a
// line per size to bench/results/wire.jsonl.
// Usage: npm run bench -- wire [SIZE]... [--window BLOCKS] [--runs N]
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import packageJson from "../package.json" with { type: "json" };
import { GiB, MiB } from "../src/lib/units.ts";
import { Bed } from "./lib/bed.ts";
import { parseRuns, record, RUNS_TO_RECORD } from "./lib/record.ts";
import { failures, playRounds, tellRun } from "./lib/rounds.ts";
import { parseSize, sizeName } from "./lib/size.ts";
import { warmPages } from "./lib/warm-pages.ts";
import { runPair, type WireRun } from "./wire/pair.ts";
import { summarizeWire, wireTable } from "./wire/report.ts";

/** More than both processes and their sockets take. */
const WARM_LENGTH = 512 * MiB;
const CONTESTANTS = [
  { name: "PeerWire", version: packageJson.version, program: join(import.meta.dir, "wire/wire-peer.ts") },
  { name: "bare sockets", version: Bun.version, program: join(import.meta.dir, "wire/plain-peer.ts") },
] as const;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: String(RUNS_TO_RECORD) },
    window: { type: "string", default: "256" },
    results: { type: "string" },
  },
});
const sizes = positionals.length === 0 ? [GiB] : positionals.map(parseSize);
if (sizes.some((size) => size % MiB !== 0)) throw new Error("a size has to be whole MiB");
const rounds = parseRuns(flags.runs);
const window = Number(flags.window);
if (!(Number.isInteger(window) && window > 0)) throw new Error("--window wants a number above 0");

async function compare(bed: Bed, size: number): Promise<boolean> {
  const folder = bed.folder(tmpdir());
  const contenders = CONTESTANTS.map(({ name, version, program }) => ({
    name,
    version,
    play: () => {
      warmPages(WARM_LENGTH);
      return runPair({ bed, folder, program, size, window });
    },
  }));
  const told = ({ leech }: WireRun) => `${(size / 1e6 / leech.seconds).toFixed(0)} MB/s`;
  const series = await playRounds(contenders, rounds, tellRun(told));
  bed.remove(folder);
  const results = summarizeWire(series, size);
  console.log(
    `\nBlocks of ${sizeName(size)} between two processes over loopback, ${window} asked for at a time, ${rounds} runs: median (min–max)\n`,
  );
  console.log(wireTable(results));
  for (const { name, problem } of series) if (problem !== undefined) console.log(`\n${name}: ${problem}`);
  const versions = { p2pfile: packageJson.version };
  record({ name: "wire", rounds, versions, file: flags.results }, series, { size, window, results });
  return failures(series).length === 0;
}

const bed = new Bed();
let allWell = true;
try {
  for (const size of sizes) allWell = (await compare(bed, size)) && allWell;
} finally {
  await bed.close();
}
process.exit(allWell ? 0 : 1);
