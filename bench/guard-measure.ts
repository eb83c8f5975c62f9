// What a transfer costs in units that do not depend on how fast the machine is: system calls, and processor time as a
// multiple of what a small reference program needs for the same file at the same time. Measures; judges nothing.
import { existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MiB } from "../src/lib/units.ts";
import { CONTENT_NAME, HOST, SEED_TIMEOUT_MS } from "./contestants/contestant.ts";
import { buildOf } from "./contestants/p2pfile.ts";
import type { Workspace } from "./lib/workspace.ts";
import type { Child } from "./lib/child.ts";
import { assertSameContent, writeContent } from "./lib/content-file.ts";
import { freeSpace } from "./lib/file-system.ts";
import { type RunFigures, runOnce } from "./lib/one-run.ts";
import type { Stage } from "./lib/stage.ts";
import { readSyscallCounts } from "./lib/syscall-counts.ts";
import { SHARED_MEMORY, warmPages } from "./lib/warm-pages.ts";

/** Calls that are made per block, per span or per wake-up: where a transfer can become dear without becoming wrong. */
export const WATCHED_CALLS = [
  "sendto",
  "recvfrom",
  "pread64",
  "pwrite64",
  "mmap",
  "madvise",
  "futex",
  "epoll_pwait2",
  "openat",
] as const;

export type Call = (typeof WATCHED_CALLS)[number] | "all";
export type Calls = Readonly<Record<Call, number>>;
export type Side = "seed" | "leech";

/** Slower than this under strace is broken: ten times what it takes on a busy machine. */
const TIMEOUT_MS = 60_000;

/** The file and the folder that everything lies in: memory where there is enough, the temporary directory elsewhere. */
export function prepareStage(workspace: Workspace, size: number): Stage {
  const room = 2 * size + 64 * MiB;
  const fits = existsSync(SHARED_MEMORY) && freeSpace(SHARED_MEMORY) > room;
  const folder = workspace.folder(fits ? SHARED_MEMORY : tmpdir());
  const content = join(folder, CONTENT_NAME);
  writeContent(content, size);
  return { workspace, folder, content, torrent: "", size };
}

/** System calls of the whole life of each side, by strace and setpriv (util-linux). */
export async function countCalls(executable: string, stage: Stage): Promise<Readonly<Record<Side, Calls>>> {
  const { workspace, folder, content } = stage;
  const [seedFolder, leechFolder] = [workspace.folder(folder), workspace.folder(folder)];
  const seed = traced(stage, seedFolder, [executable, "serve", "--ip", HOST, content]);
  const magnet = await seed.waitForOutput(/^(magnet:\S+)$/m, TIMEOUT_MS);
  const leech = traced(stage, leechFolder, [executable, "download", "--ip", HOST, magnet]);
  await leech.waitForSuccess(TIMEOUT_MS);
  // To the program and not to strace, which would leave without a word.
  process.kill(Number(readFileSync(join(seedFolder, "pid"), "utf8")), "SIGTERM");
  await seed.ended();
  assertSameContent(content, join(leechFolder, CONTENT_NAME));
  const counts = { seed: callsOf(seedFolder), leech: callsOf(leechFolder) };
  for (const child of [seed, leech]) await workspace.end(child);
  for (const used of [seedFolder, leechFolder]) workspace.remove(used);
  return counts;
}

function traced({ workspace }: Stage, folder: string, command: readonly string[]): Child {
  const path = (name: string) => join(folder, name);
  // The shell writes down its process id, which is the program's a moment later. When strace is killed the program would
  // go on without it.
  const noted = [
    "sh",
    "-c",
    'echo $$ > "$0"; exec setpriv --pdeathsig KILL -- "$@"',
    path("pid"),
    ...command,
  ];
  const strace = ["strace", "-f", "-c", "-o", path("strace")];
  return workspace.spawn([...strace, ...noted], { cwd: folder, log: path("stderr") });
}

function callsOf(folder: string): Calls {
  const counts = readSyscallCounts(join(folder, "strace"));
  const all = [...counts.values()].reduce((sum, calls) => sum + calls, 0);
  const watched = WATCHED_CALLS.map((call) => [call, counts.get(call) ?? 0] as const);
  return Object.fromEntries([["all", all], ...watched]) as Calls;
}

export interface CpuCost {
  /** Seconds of both sides together, of the cheapest round. */
  readonly transfer: number;
  /** Seconds of the reference program, of its cheapest round. */
  readonly reference: number;
  /** Of the two: what is pinned. */
  readonly ratio: number;
}

/** In turns, so that both meet the same machine; the least of each, because disturbance only ever adds. */
export async function measureCpu(executable: string, stage: Stage, rounds: number): Promise<CpuCost> {
  const contestant = buildOf("p2pfile", executable);
  const transfers: number[] = [];
  const references: number[] = [];
  for (let round = 0; round < rounds; round++) {
    references.push(await referenceCpu(stage));
    transfers.push(cpuOfBoth(await runOnce(contestant, stage)));
  }
  const [transfer, reference] = [Math.min(...transfers), Math.min(...references)];
  return { transfer, reference, ratio: transfer / reference };
}

function cpuOfBoth({ seedCpu, leechCpu }: RunFigures): number {
  return seedCpu.user + seedCpu.system + leechCpu.user + leechCpu.system;
}

async function referenceCpu({ workspace, folder, content, size }: Stage): Promise<number> {
  const target = workspace.folder(folder);
  warmPages(size + 512 * MiB);
  const program = [process.execPath, join(import.meta.dir, "guard-reference.ts"), content];
  const copy = join(target, CONTENT_NAME);
  const child = workspace.spawn([...program, copy], { cwd: target, log: join(target, "stderr") });
  await child.waitForSuccess(SEED_TIMEOUT_MS);
  assertSameContent(content, copy);
  const { user, system } = child.totalCpu;
  await workspace.end(child);
  workspace.remove(target);
  return user + system;
}
