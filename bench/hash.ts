// How fast the pieces of a file in the page cache are hashed, by p2pfile's pool and by others: all in turns, so that they
// meet the same machine. Tells also how late the event loop is meanwhile. Prints a table, adds a line per file system and size to bench/results/hash.jsonl.
// Usage: npm run bench -- hash [SIZE]... [--runs N] [--dir DIRECTORY] [--on tmpfs,disk] [--only WORDS,WORDS]
//   [--write-kib N] (the file is written in steps of that length, which some file systems cache it in)
import { availableParallelism, tmpdir } from "node:os";
import { parseArgs } from "node:util";
import packageJson from "../package.json" with { type: "json" };
import { formatBytes, GiB, KiB, MiB } from "../src/lib/units.ts";
import type { HashGround, Hasher, HashRun } from "./hash/hasher.ts";
import { idle, poolHashers } from "./hash/pool-hashers.ts";
import { prepareGround } from "./hash/prepare-ground.ts";
import { hashTable, summarizeHash } from "./hash/report.ts";
import { mktorrent, opensslDigest, opensslDigests, opensslSpeed, REFERENCE, serve } from "./hash/rivals.ts";
import { Workspace } from "./lib/workspace.ts";
import { fileSystemOf, freeSpace } from "./lib/file-system.ts";
import { availableMemory } from "./lib/machine.ts";
import { placesOf } from "./lib/places.ts";
import { parseRuns, record, RUNS_TO_RECORD } from "./lib/record.ts";
import { failures, playRounds, type Series, tellRun } from "./lib/rounds.ts";
import { parseSize, sizeName } from "./lib/size.ts";
import { toldSpread } from "./lib/statistics.ts";
import { warmPages } from "./lib/warm-pages.ts";

/** More than any of them takes for itself: what they hash is in memory already. */
const WARM_LENGTH = 256 * MiB;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: String(RUNS_TO_RECORD) },
    dir: { type: "string", default: tmpdir() },
    on: { type: "string", default: "tmpfs,disk" },
    only: { type: "string", default: "" },
    "write-kib": { type: "string", default: "1024" },
    results: { type: "string" },
  },
});
const sizes = positionals.length === 0 ? [GiB] : positionals.map(parseSize);
const rounds = parseRuns(flags.runs);
const writeLength = Number(flags["write-kib"]) * KiB;
if (!(writeLength > 0 && (MiB % writeLength === 0 || writeLength % MiB === 0)))
  throw new Error("--write-kib wants a divisor or a multiple of 1024");
const cores = availableParallelism();

/** @throws when it does not fit: better than to fill a disk or to read from one. */
function assertRoom(parent: string, size: number): void {
  if (freeSpace(parent) < 2 * size + 256 * MiB)
    throw new Error(`${parent}: two copies of ${sizeName(size)} do not fit; give another --dir`);
  if (availableMemory() < 2 * size + GiB)
    throw new Error(`two copies of ${sizeName(size)} do not fit the free memory: give a smaller size`);
}

function hashersOf(ground: HashGround): Hasher[] {
  const all = [
    opensslSpeed(ground),
    ...poolHashers(ground, "map", cores),
    ...poolHashers(ground, "pread", cores),
    serve(ground),
    mktorrent(ground, cores),
    opensslDigest(ground),
    ...(cores === 1 ? [] : [opensslDigests(ground)]),
    idle(),
  ];
  const words = flags.only.split(",");
  return all.filter(({ name }) => words.some((word) => name.startsWith(word)));
}

async function compare(workspace: Workspace, parent: string, size: number): Promise<boolean> {
  assertRoom(parent, size);
  const ground = prepareGround({ workspace, parent, size, cores, writeLength });
  const hashers = hashersOf(ground);
  try {
    const contenders = hashers.map((hasher) => ({
      name: hasher.name,
      version: hasher.version(),
      play: () => {
        warmPages(WARM_LENGTH);
        return hasher.run();
      },
    }));
    const told = ({ rate }: HashRun) => (rate === undefined ? "" : `${rate.toFixed(2)} GB/s`);
    const series = await playRounds(contenders, rounds, tellRun(told));
    report(series, ground, fileSystemOf(parent));
    return failures(series).length === 0;
  } finally {
    for (const hasher of hashers) await hasher.close?.();
    workspace.remove(ground.folder);
  }
}

function report(
  series: readonly Series<HashRun>[],
  { size, pieceLength }: HashGround,
  fileSystem: string,
): void {
  const results = summarizeHash(series, REFERENCE);
  const pieces = `pieces of ${formatBytes(pieceLength)}`;
  console.log(
    `\nSHA-1 of ${sizeName(size)} in the page cache, ${pieces}, ${fileSystem}, ${cores} cores, ${rounds} runs: median (min–max)\n`,
  );
  console.log(hashTable(results, REFERENCE));
  for (const { busyCores } of results) {
    if (busyCores !== undefined)
      console.log(`\nCores busy while nothing was measured: ${toldSpread(busyCores)}`);
  }
  for (const { name, problem } of series) if (problem !== undefined) console.log(`\n${name}: ${problem}`);
  const versionOf = (name: string) => series.find((one) => one.name.startsWith(name))?.version;
  const versions = {
    p2pfile: packageJson.version,
    openssl: versionOf("openssl"),
    mktorrent: versionOf("mktorrent"),
  };
  record({ name: "hash", rounds, versions, file: flags.results }, series, {
    fileSystem,
    size,
    pieceLength,
    writeLength,
    reference: REFERENCE,
    results,
  });
}

const workspace = new Workspace();
let allWell = true;
try {
  for (const parent of placesOf(flags.on, flags.dir)) {
    for (const size of sizes) allWell = (await compare(workspace, parent, size)) && allWell;
  }
} finally {
  await workspace.close();
}
process.exit(allWell ? 0 : 1);
