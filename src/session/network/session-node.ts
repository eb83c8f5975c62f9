// The network as the life of one file uses it: our address, the rate limits, and the swarms that are joined. The node and
// its swarms provide it; tests bring their own.
import type { PeerAddress } from "../../core/format/peer-address.ts";
import type { DoneHosts } from "../../core/exchange/first-hand-hosts.ts";
import type { HostState } from "../../core/exchange/host-roster.ts";
import type { TokenBucket } from "../../core/rate/token-bucket.ts";
import type { PeerHandle } from "../../core/torrent/ids.ts";
import type { Failure } from "../exchange/reporter.ts";
import type { RunnerPeer, TransferRunner } from "../file/transfer-runner.ts";
import { Node, type NodeStart } from "./node.ts";
import { Swarm } from "./swarm.ts";
import type { SwarmOptions } from "./swarm-network.ts";
import type { SnapshotSwarm } from "./torrent-snapshot.ts";

/** One torrent that this process takes part in. */
export interface JoinedSwarm extends SnapshotSwarm {
  readonly gossip: SnapshotSwarm["gossip"] & {
    readonly firstHand: { doneHosts(): DoneHosts };
    /** The nodes that collect reports have our last state, as far as there are any. */
    isReported(): boolean;
    /** A host lacks data, as far as is known. */
    readonly isAnyHostNeedy: boolean;
    say(state: HostState): void;
    fail(failure: Failure): void;
  };
  /** Bytes of metadata that have arrived, whatever came of them. */
  readonly metadataReceived: number;
  /** The metadata is known and the file is ready: pieces are traded from then on. */
  start(runner: TransferRunner): void;
  peer(handle: PeerHandle): RunnerPeer | undefined;
  banDisconnected(handle: PeerHandle): void;
  announceCompletion(): void;
  setPaused(paused: boolean): void;
  tick(now: number): void;
  close(): void;
}

export interface SessionNode {
  /** Where this process accepts connections. */
  readonly address: PeerAddress;
  readonly uploadBucket: TokenBucket;
  readonly downloadBucket: TokenBucket;
  /** Takes part in a torrent from then on. */
  join(options: Omit<SwarmOptions, "node">): JoinedSwarm;
  close(): Promise<void>;
}

/** @throws UsageError when no address or port can be had. */
export async function startSessionNode(start: NodeStart): Promise<SessionNode> {
  const node = await Node.start(start);
  return {
    address: node.address,
    uploadBucket: node.uploadBucket,
    downloadBucket: node.downloadBucket,
    join(options) {
      const swarm = new Swarm({ ...options, node });
      node.add(swarm);
      return swarm;
    },
    close: () => node.close(),
  };
}
