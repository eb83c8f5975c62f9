// What other programs make of the same bytes: OpenSSL and mktorrent as processes, and our own executable from its start to
// its magnet.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { HOST } from "../contestants/contestant.ts";
import { EXECUTABLE, p2pfile } from "../contestants/p2pfile.ts";
import type { Child } from "../lib/child.ts";
import { versionOf } from "../lib/machine.ts";
import { cpuOf } from "../lib/process-meter.ts";
import { type HashGround, type Hasher, type HashRun, timeoutFor } from "./hasher.ts";
import { parseOpensslSpeed } from "./openssl-speed.ts";

/** What the rates of all others are divided by. */
export const REFERENCE = "openssl speed 1 core";
const SPEED_SECONDS = 2;

/**
 * One core over 16 KiB that never leave its cache, no file: nothing that hashes with this library on one core is faster. It
 * divides by processor time, so other work on the machine does not slow it down as it does everything else here.
 */
export function opensslSpeed({ workspace, folder }: HashGround): Hasher {
  const command = ["openssl", "speed", "-seconds", `${SPEED_SECONDS}`, "-evp", "sha1", "-bytes", "16384"];
  return {
    name: REFERENCE,
    version: opensslVersion,
    async run() {
      const child = workspace.spawn(command, { cwd: folder, log: join(folder, "stderr") });
      await child.waitForSuccess(30_000 + SPEED_SECONDS * 1000);
      await workspace.end(child);
      return { rate: parseOpensslSpeed(child.output) };
    },
  };
}

/** One process over the whole file. */
export function opensslDigest(ground: HashGround): Hasher {
  return {
    name: "openssl dgst 1 process",
    version: opensslVersion,
    run: () => digestAll(ground, [ground.content], [ground.contentDigest]),
  };
}

/** As many processes as cores, each over its part of the file. */
export function opensslDigests(ground: HashGround): Hasher {
  return {
    name: `openssl dgst ${ground.parts.length} processes`,
    version: opensslVersion,
    run: () => digestAll(ground, ground.parts, ground.partDigests),
  };
}

async function digestAll(
  { workspace, folder, size }: HashGround,
  paths: readonly string[],
  expected: readonly string[],
): Promise<HashRun> {
  const start = performance.now();
  const children = paths.map((path, index) =>
    workspace.spawn(["openssl", "dgst", "-sha1", "-r", path], {
      cwd: folder,
      log: join(folder, `stderr-${index}`),
    }),
  );
  await Promise.all(children.map((child) => child.waitForSuccess(timeoutFor(size))));
  const wall = (performance.now() - start) / 1000;
  for (const [index, child] of children.entries()) {
    await workspace.end(child);
    if (!child.output.startsWith(`${expected[index]} `)) throw new Error("a wrong digest came out");
  }
  return figures(size, wall, sum(children.map(cpuOfEnded)));
}

/** One thread per core, pieces of the same length. */
export function mktorrent(
  { workspace, folder, content, size, pieceLength, digests }: HashGround,
  cores: number,
): Hasher {
  return {
    name: `mktorrent ${cores} ${cores === 1 ? "thread" : "threads"}`,
    version: () => versionOf(["mktorrent", "-h"], /^mktorrent (\S+)/m),
    async run() {
      const output = join(workspace.folder(folder), "content.torrent");
      const options = ["-d", "-l", `${Math.log2(pieceLength)}`, "-t", `${cores}`, "-o", output];
      const command = ["mktorrent", ...options, "-a", `http://${HOST}/announce`, content];
      const start = performance.now();
      const child = workspace.spawn(command, { cwd: folder, log: join(folder, "stderr") });
      await child.waitForSuccess(timeoutFor(size));
      const wall = (performance.now() - start) / 1000;
      await workspace.end(child);
      if (!readFileSync(output).includes(digests)) throw new Error("wrong digests came out");
      workspace.remove(join(output, ".."));
      return figures(size, wall, cpuOfEnded(child));
    },
  };
}

/** The executable with all its cores, from its start until its magnet is there; with an empty state. */
export function serve({ workspace, folder, content, size, infoHash }: HashGround): Hasher {
  return {
    name: "p2pfile serve",
    version: () => p2pfile.version(),
    async run() {
      const cwd = workspace.folder(folder);
      const command = [EXECUTABLE, "serve", "--ip", HOST, content];
      const start = performance.now();
      const child = workspace.spawn(command, { cwd, log: join(folder, "stderr") });
      try {
        const found = await child.waitForOutput(/^magnet:\?xt=urn:btih:(\w+)/m, timeoutFor(size));
        const wall = (performance.now() - start) / 1000;
        const { user, system } = cpuOf(child.pid);
        if (found !== infoHash) throw new Error("a wrong info hash came out");
        return figures(size, wall, user + system);
      } finally {
        await workspace.end(child);
        workspace.remove(cwd);
      }
    },
  };
}

function figures(size: number, wall: number, cpu: number): HashRun {
  return { wall, rate: size / 1e9 / wall, cpu };
}

function cpuOfEnded({ totalCpu: { user, system } }: Child): number {
  return user + system;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function opensslVersion(): string | undefined {
  return versionOf(["openssl", "version"], /^OpenSSL (\S+)/m);
}
