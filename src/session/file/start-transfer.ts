// Puts a Transfer and its runner together: the same for a file that is served and for one that is downloaded.
import { expectedDigest, type Metainfo } from "../../core/format/metainfo.ts";
import type { TokenBucket } from "../../core/rate/token-bucket.ts";
import type { Bitfield } from "../../core/torrent/bitfield.ts";
import type { PeerHandle } from "../../core/torrent/ids.ts";
import { Transfer } from "../../core/transfer/transfer.ts";
import type { Clock } from "../../lib/clock.ts";
import { chance } from "../clock.ts";
import type { FileContent } from "./file-content.ts";
import { type RunnerPeer, TransferRunner, type TransferRunnerOptions } from "./transfer-runner.ts";

export interface TransferParts extends Pick<
  TransferRunnerOptions,
  "onVerified" | "onCompleted" | "onFailure" | "onPieceFailed"
> {
  readonly metainfo: Metainfo;
  readonly content: FileContent;
  /** Verified pieces; the transfer owns it from then on. */
  readonly have: Bitfield;
  /** Pieces that the file may hold besides; each is reported by `pieceChecked`. */
  readonly unchecked?: Bitfield;
  readonly clock: Clock;
  /** The rate limits of the process. */
  readonly node: { readonly uploadBucket: TokenBucket; readonly downloadBucket: TokenBucket };
  readonly swarm: {
    peer(handle: PeerHandle): RunnerPeer | undefined;
    banDisconnected(handle: PeerHandle): void;
  };
}

export function startTransfer(parts: TransferParts): TransferRunner {
  const { metainfo, content, have, unchecked, clock, node, swarm } = parts;
  return new TransferRunner({
    transfer: new Transfer({
      geometry: metainfo.geometry,
      expected: (piece) => expectedDigest(metainfo, piece),
      have,
      ...(unchecked && { unchecked }),
      uploadBucket: node.uploadBucket,
      downloadBucket: node.downloadBucket,
      random: chance,
      now: clock.now(),
    }),
    metainfo,
    content,
    now: () => clock.now(),
    peerOf: (handle) => swarm.peer(handle),
    banDisconnected: (handle) => swarm.banDisconnected(handle),
    onVerified: parts.onVerified,
    onCompleted: parts.onCompleted,
    onPieceFailed: parts.onPieceFailed,
    onFailure: parts.onFailure,
  });
}
