// Runs of the executable for fault jobs: under another program, in a given directory; and what a download leaves on the disk.
import { Database } from "bun:sqlite";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { P2pfile } from "../../helpers/binary.ts";
import { binaryPath } from "../../helpers/executable.ts";
import { sha256Of } from "../../helpers/big-file.ts";
import type { TestFixture } from "../../helpers/test-directory.ts";

export interface DownloadOptions {
  readonly magnet: string;
  readonly cwd: string;
  /** Puts the program under another one: strace, a shell. */
  readonly under?: (program: readonly string[]) => string[];
  readonly flags?: readonly string[];
  readonly ip?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export function startDownload(fixture: TestFixture, options: DownloadOptions): P2pfile {
  const { magnet, cwd, under, flags = [], ip = fixture.address(), env = {} } = options;
  const program = ["download", "--ip", ip, "--json", ...flags, magnet];
  const command = under === undefined ? [binaryPath, ...program] : under(program);
  return fixture.adopt(new P2pfile(command, cwd, ip, { HOME: cwd, ...env }));
}

export function startServe(
  fixture: TestFixture,
  path: string,
  options: {
    readonly cwd?: string;
    readonly flags?: readonly string[];
    readonly under?: (program: readonly string[]) => string[];
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): P2pfile {
  const { cwd = fixture.directory("cwd"), flags = [], under, env = {} } = options;
  const ip = fixture.address();
  const program = ["serve", "--ip", ip, "--json", ...flags, path];
  const command = under === undefined ? [binaryPath, ...program] : under(program);
  return fixture.adopt(new P2pfile(command, cwd, ip, { HOME: cwd, ...env }));
}

export type FinalState = "absent" | "right" | "wrong";

export function finalState(path: string, sha256: string): FinalState {
  if (!existsSync(path)) return "absent";
  return sha256Of(path) === sha256 ? "right" : "wrong";
}

export function partFileIn(directory: string): string | undefined {
  const name = readdirSync(directory).find((entry) => entry.endsWith(".p2pfile-part"));
  return name === undefined ? undefined : join(directory, name);
}

/** The pieces that the state file of `directory` records, or undefined when it has no record. */
export function recordedPieces(directory: string, pieceCount: number): number[] | undefined {
  const path = join(directory, ".p2pfile.db");
  if (!existsSync(path)) return undefined;
  const database = new Database(path);
  try {
    const row: unknown = database.query("SELECT bitfield FROM downloads").get();
    if (typeof row !== "object" || row === null || !("bitfield" in row)) return undefined;
    const { bitfield } = row;
    if (!(bitfield instanceof Uint8Array)) return undefined;
    return Array.from({ length: pieceCount }, (_, index) => index).filter(
      (index) => ((bitfield[index >>> 3] ?? 0) & (0x80 >>> (index & 7))) !== 0,
    );
  } finally {
    database.close();
  }
}

/** Bytes allocated on the disk. */
export function diskUse(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).blocks * 512, 0);
}

/** Memory of a running process in bytes, by its name in proc(5): VmHWM is the peak of the resident set. */
export function memoryOf(pid: number, field: "VmHWM" | "RssAnon" | "RssShmem"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? Number.NaN) * 1024;
}

/** Peak of the resident set, with the pages of the executable and of mapped files. */
export function peakMemory(pid: number): number {
  return memoryOf(pid, "VmHWM");
}

/** Resident bytes without the pages of the executable and of mapped files; 0 once the process has ended. */
export function ownMemory(pid: number): number {
  try {
    // For a process that has just ended the file exists but has no memory fields.
    return memoryOf(pid, "RssAnon") + memoryOf(pid, "RssShmem") || 0;
  } catch {
    return 0;
  }
}

/** Seconds of processor time of a running process so far. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in parentheses may hold anything; utime and stime are fields 14 and 15 of proc(5), in ticks of 10 ms.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export async function killAndWait(run: P2pfile): Promise<void> {
  run.killGroup();
  await run.exited;
}
