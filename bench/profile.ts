// Where the time goes during a transfer: a CPU profile of the main thread of each side, run from the sources, kept as
// .cpuprofile files for Chrome's DevTools or speedscope; and the system calls of each side of the executable, by strace.
// Usage: npm run bench -- profile [SIZE] [--out DIRECTORY] [--top N]
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { GiB, MiB } from "../src/lib/units.ts";
import { CONTENT_NAME, HOST, SEED_TIMEOUT_MS } from "./contestants/contestant.ts";
import { EXECUTABLE } from "./contestants/p2pfile.ts";
import { Workspace } from "./lib/workspace.ts";
import type { Child } from "./lib/child.ts";
import { assertSameContent, writeContent } from "./lib/content-file.ts";
import { sampleCount, selfTimes } from "./lib/cpu-profile.ts";
import { freeSpace } from "./lib/file-system.ts";
import { markdownTable } from "./lib/markdown-table.ts";
import { parseSize, sizeName } from "./lib/size.ts";
import { readSyscallCounts } from "./lib/syscall-counts.ts";
import { SHARED_MEMORY, warmPages } from "./lib/warm-pages.ts";

const ROOT = resolve(import.meta.dir, "..");
const LEECH_TIMEOUT_MS = 120_000;
/** Microseconds between two samples: fine enough for a second of work. */
const SAMPLE_INTERVAL = 200;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string", default: join(import.meta.dir, "results/profile.tmp") },
    top: { type: "string", default: "25" },
  },
});
const size = positionals[0] === undefined ? GiB : parseSize(positionals[0]);
const out = resolve(flags.out);
const workspace = new Workspace();

type Side = "seed" | "leech";

interface Transfer {
  /** The command that is p2pfile, for either side. */
  readonly program: (side: Side) => readonly string[];
  /** Called when the seed is ready. */
  readonly onReady?: (seed: Child) => Promise<() => Promise<void>>;
}

async function transfer(content: string, { program, onReady }: Transfer): Promise<number> {
  const [seedFolder, leechFolder] = [workspace.folder(SHARED_MEMORY), workspace.folder(SHARED_MEMORY)];
  const serve = [...program("seed"), "serve", "--ip", HOST, content];
  const seed = workspace.spawn(serve, { cwd: seedFolder, log: join(seedFolder, "stderr") });
  const magnet = await seed.waitForOutput(/^(magnet:\S+)$/m, SEED_TIMEOUT_MS);
  const afterwards = await onReady?.(seed);
  warmPages(size + 512 * MiB);
  const download = [...program("leech"), "download", "--ip", HOST, magnet];
  const begun = performance.now();
  const leech = workspace.spawn(download, { cwd: leechFolder, log: join(seedFolder, "leech-stderr") });
  await leech.waitForSuccess(LEECH_TIMEOUT_MS);
  const seconds = (performance.now() - begun) / 1000;
  assertSameContent(content, join(leechFolder, CONTENT_NAME));
  await afterwards?.();
  // Not killed: a profile is written at an orderly end.
  seed.signal("SIGINT");
  await seed.ended();
  await workspace.end(leech);
  for (const folder of [seedFolder, leechFolder]) workspace.remove(folder);
  return seconds;
}

async function profile(content: string): Promise<void> {
  const file = (side: Side) => `${side}.cpuprofile`;
  const seconds = await transfer(content, {
    program: (side) => [
      process.execPath,
      "--cpu-prof",
      `--cpu-prof-interval=${SAMPLE_INTERVAL}`,
      `--cpu-prof-dir=${out}`,
      `--cpu-prof-name=${file(side)}`,
      join(ROOT, "src/main.ts"),
    ],
  });
  console.log(`${sizeName(size)} from the sources, under the profiler: ${seconds.toFixed(2)} s`);
  for (const side of ["seed", "leech"] as const) {
    const path = join(out, file(side));
    const rows = selfTimes(path, ROOT)
      .slice(0, Number(flags.top))
      .map(({ name, share }) => [name, `${(share * 100).toFixed(1)} %`]);
    console.log(`\n${side}, main thread, ${sampleCount(path)} samples: ${path}\n`);
    console.log(markdownTable(["function", "self"], rows));
  }
}

async function countSystemCalls(content: string): Promise<void> {
  const files = { seed: join(out, "seed.strace"), leech: join(out, "leech.strace") };
  const strace = (side: Side) => ["strace", "-f", "-c", "-o", files[side]];
  const seconds = await transfer(content, {
    program: (side) => (side === "leech" ? [...strace(side), EXECUTABLE] : [EXECUTABLE]),
    // The seed is looked at from when it is ready, so its hashing is not counted.
    onReady: async (seed) => {
      const tracer = workspace.spawn([...strace("seed"), "-p", String(seed.pid)], {
        cwd: out,
        log: join(out, "strace.log"),
      });
      await Bun.sleep(500);
      return async () => {
        tracer.signal("SIGINT");
        await tracer.ended();
      };
    },
  });
  const counts = { seed: readSyscallCounts(files.seed), leech: readSyscallCounts(files.leech) };
  const perGiB = (calls: number | undefined) => String(Math.round(((calls ?? 0) * GiB) / size));
  const most = (name: string) => Math.max(counts.seed.get(name) ?? 0, counts.leech.get(name) ?? 0);
  const names = [...new Set([...counts.seed.keys(), ...counts.leech.keys()])]
    .toSorted((a, b) => most(b) - most(a))
    .slice(0, Number(flags.top));
  const rows = names.map((name) => [name, perGiB(counts.seed.get(name)), perGiB(counts.leech.get(name))]);
  const total = (side: Side) => perGiB([...counts[side].values()].reduce((sum, calls) => sum + calls, 0));
  console.log(
    `\nSystem calls per GiB of the executable, from ${sizeName(size)} (${seconds.toFixed(2)} s under strace)\n`,
  );
  console.log(markdownTable(["call", "seed", "leech"], [...rows, ["all", total("seed"), total("leech")]]));
}

try {
  if (freeSpace(SHARED_MEMORY) < 2 * size + 256 * MiB)
    throw new Error(`${SHARED_MEMORY} is too small for this`);
  mkdirSync(out, { recursive: true });
  const content = join(workspace.folder(SHARED_MEMORY), CONTENT_NAME);
  writeContent(content, size);
  await profile(content);
  if (Bun.which("strace") === null) console.log("\nstrace is not installed: no system calls are counted");
  else await countSystemCalls(content);
} finally {
  await workspace.close();
}
process.exit(0);
