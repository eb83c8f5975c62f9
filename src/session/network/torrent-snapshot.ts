// A snapshot of one torrent for the progress line and `--json`.
import type { Metainfo } from "../../core/format/metainfo.ts";
import type { Transfer } from "../../core/transfer/transfer.ts";
import type { PeersBySource, TransferSnapshot } from "../report/session-event.ts";

/** What a snapshot shows of a swarm. */
export interface SnapshotSwarm {
  readonly peerCount: number;
  readonly peersBySource: PeersBySource;
  readonly gossip: { readonly hostCounts: { readonly wanting: number; readonly done: number } };
}

export interface SnapshotParts {
  readonly index: number;
  readonly phase: TransferSnapshot["phase"];
  readonly metainfo: Metainfo;
  readonly swarm: SnapshotSwarm;
  /** Absent while the part file is being checked. */
  readonly transfer: Transfer | undefined;
}

export function snapshotOf(parts: SnapshotParts, now: number): TransferSnapshot {
  const { index, phase, metainfo, swarm, transfer } = parts;
  const { hostCounts } = swarm.gossip;
  const size = metainfo.geometry.length;
  const status = transfer?.status(now);
  const missing = size - (status?.completedBytes ?? 0);
  const rate = status?.downloadRate ?? 0;
  return {
    index,
    name: metainfo.name,
    infoHash: metainfo.infoHash,
    phase,
    size,
    completed: status?.completedBytes ?? 0,
    downloadRate: rate,
    uploadRate: status?.uploadRate ?? 0,
    downloaded: status?.downloaded ?? 0,
    uploaded: status?.uploaded ?? 0,
    peers: swarm.peerCount,
    seeds: status?.seeds ?? 0,
    peersBySource: swarm.peersBySource,
    hosts: hostCounts.wanting,
    hostsDone: hostCounts.done,
    etaSeconds: missing === 0 ? 0 : rate > 0 ? missing / rate : Number.POSITIVE_INFINITY,
  };
}
