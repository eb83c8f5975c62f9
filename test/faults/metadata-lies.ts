// T9: three of the four peers in a magnet give wrong metadata, each in another way. The right metadata is found all the same.
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { startRawPeer } from "../helpers/raw-peer.ts";
import { makeInfo } from "../helpers/torrent-file.ts";
import { type FaultJob, rounded, type Trial } from "./lib/job.ts";
import { finalState, ownMemory, startDownload } from "./lib/run.ts";
import { contentOf, ScriptedSeed } from "./lib/scripted-seed.ts";

const RESOLVED_MS = 30_000;
/** Bytes of memory more than the same download takes without a culprit. */
const GROWTH = 16 * MiB;
const NAME = "disk.img";

interface Lie {
  readonly what: string;
  readonly info: (right: Uint8Array) => Uint8Array;
  readonly size?: number;
}

const LIES: readonly Lie[] = [
  { what: "size 0", info: (right) => right, size: 0 },
  { what: "size -1", info: (right) => right, size: -1 },
  { what: "size 2^31", info: (right) => right, size: 2 ** 31 },
  { what: "size 2^32 + 1", info: (right) => right, size: 2 ** 32 + 1 },
  { what: "size 2^53 - 1", info: (right) => right, size: Number.MAX_SAFE_INTEGER },
  { what: "8 MiB that are not there", info: (right) => right, size: 8 * MiB },
  { what: "a byte too many", info: (right) => Buffer.concat([right, Buffer.from("x")]) },
  { what: "a byte too few", info: (right) => right.subarray(0, -1) },
  { what: "other metadata", info: () => makeInfo("other", Buffer.from("other"), 16_384).info },
  { what: "bencode that never ends", info: () => Buffer.from("l".repeat(60_000)) },
  { what: "zeros", info: (right) => Buffer.alloc(right.length) },
];

export const metadataLiesJob: FaultJob = {
  name: "T9 metadata lies",
  async run(trial) {
    for (const what of ["rounds", "not resolved", "corrupt"]) trial.set(what, 0);
    const alone = await resolve(trial, []);
    trial.set("alone peak MiB", rounded(alone / MiB));
    for (let round = 0; round < LIES.length; round++) {
      trial.count("rounds");
      const lies = [0, 1, 2].flatMap((index) => LIES[(round + index) % LIES.length] ?? []);
      const peak = await resolve(trial, lies);
      trial.most("peak MiB", rounded(peak / MiB));
      trial.expect(peak - alone <= GROWTH, "too much memory", `${peak} bytes, alone ${alone}`);
    }
  },
};

/** @returns the peak of the resident memory in bytes. */
async function resolve(trial: Trial, lies: readonly Lie[]): Promise<number> {
  const { fixture } = trial;
  const content = contentOf(16 * MiB, trial.seed);
  const seed = new ScriptedSeed({ host: fixture.address(), name: NAME, content, pieceLength: 16_384 });
  const { info, infoHash } = seed.torrent;
  const culprits = lies.map((lie) => {
    const host = fixture.address();
    const peer = startRawPeer(host, infoHash, lie.info(info), lie.size);
    return { peer, address: `${host}:${peer.port}` };
  });
  const where = lies.map((lie) => lie.what).join(", ");
  try {
    const named = [...culprits.map(({ address }) => address), seed.address];
    const magnet = `magnet:?xt=urn:btih:${infoHash}&dn=${NAME}${named.map((it) => `&x.pe=${it}`).join("")}`;
    const leech = startDownload(fixture, { magnet, cwd: fixture.directory("leech") });
    let peak = 0;
    const timer = setInterval(() => (peak = Math.max(peak, ownMemory(leech.pid))), 10);
    const begun = performance.now();
    const found = await leech.waitForEvent("metadata", undefined, RESOLVED_MS).catch(() => undefined);
    trial.most("slowest ms", Math.round(performance.now() - begun));
    trial.expect(found !== undefined, "not resolved", `${where}\n${leech.text("stderr")}`);
    const code = await leech.waitForExit(20_000).catch(() => -1);
    clearInterval(timer);
    const isRight = code === 0 && finalState(join(leech.cwd, NAME), seed.sha256) === "right";
    trial.expect(isRight, "corrupt", `${where}: ${code}\n${leech.text("stderr")}`);
    await leech.end();
    return peak;
  } finally {
    seed.close();
    for (const { peer } of culprits) peer.close();
  }
}
