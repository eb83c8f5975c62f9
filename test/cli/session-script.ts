// Events of sessions that never were, for tests of what is shown of them.
import { parseInfoHash } from "../../src/core/torrent/ids.ts";
import type { SessionEvent, TransferSnapshot } from "../../src/session/report/session-event.ts";

export const infoHash = parseInfoHash("0123456789abcdef0123456789abcdef01234567")!;
export const magnet = `magnet:?xt=urn:btih:${infoHash}&dn=model.bin&x.pe=10.1.1.1:42083`;
const GiB = 2 ** 30;
const moments = { firstPeer: 15, metadata: 120, firstPiece: 300, done: 36_000 };

export function snapshot(changes: Partial<TransferSnapshot> = {}): TransferSnapshot {
  return {
    index: 0,
    name: "model.bin",
    infoHash,
    phase: "downloading",
    size: 4 * GiB,
    completed: 1.7 * GiB,
    downloadRate: 118 * 2 ** 20,
    uploadRate: 20 * 2 ** 20,
    downloaded: 1.8 * GiB,
    uploaded: GiB,
    peers: 12,
    seeds: 3,
    peersBySource: { magnet: 1, flag: 0, dht: 2, pex: 0, exchange: 4, incoming: 5 },
    hosts: 0,
    hostsDone: 0,
    etaSeconds: 20,
    ...changes,
  };
}

export function progress(...transfers: readonly Partial<TransferSnapshot>[]): SessionEvent {
  return { type: "progress", transfers: transfers.map(snapshot) };
}

export function completed(index = 0, name = "model.bin"): SessionEvent {
  return {
    type: "completed",
    index,
    name,
    path: `/srv/${name}`,
    size: 4 * GiB,
    infoHash,
    elapsedMs: 36_000,
    existed: false,
    moments,
  };
}

export function serving(index = 0, name = "model.bin"): SessionEvent {
  return {
    type: "serving",
    index,
    name,
    path: `/srv/${name}`,
    size: 4 * GiB,
    infoHash,
    magnet,
    cached: false,
  };
}

/** One event of every type, in the order of a session. */
export const oneOfEach: readonly SessionEvent[] = [
  { type: "listening", host: "10.1.1.1", port: 42083, allInterfaces: true },
  { type: "hashing", index: 0, name: "model.bin", done: GiB, size: 4 * GiB },
  serving(),
  { type: "metadata", index: 0, name: "model.bin", size: 4 * GiB, infoHash, elapsedMs: 120 },
  { type: "firstPeer", index: 0, infoHash, source: "magnet", elapsedMs: 15 },
  { type: "firstPiece", index: 0, infoHash, elapsedMs: 300 },
  progress({ etaSeconds: Infinity }),
  completed(),
  {
    type: "seedingEnded",
    index: 0,
    name: "model.bin",
    reason: "ratio",
    uploaded: 6 * GiB,
    ratio: 1.5,
    seconds: 42,
    moments,
  },
  { type: "hostsDone", hosts: 3, wanted: 3 },
  { type: "failed", index: 1, subject: "b.bin", message: "b.bin: no such file", exitCode: 3 },
  { type: "warning", message: "the clock runs backwards" },
];
