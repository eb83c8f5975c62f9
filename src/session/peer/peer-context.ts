// What a connection needs of the process that it belongs to. The node provides it; tests bring their own.
import type { PeerAddress } from "../../core/format/peer-address.ts";
import type { TokenBucket } from "../../core/rate/token-bucket.ts";
import type { PeerId } from "../../core/torrent/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import type { FlushTurn } from "./flush-turn.ts";

export interface PeerContext {
  readonly peerId: PeerId;
  /** Where this process accepts connections. */
  readonly address: PeerAddress;
  readonly logger: Logger;
  readonly uploadBucket: TokenBucket;
  readonly downloadBucket: TokenBucket;
  readonly flushTurn: FlushTurn;
  /** Milliseconds of a clock that never steps back. */
  readonly now: () => number;
}

/** What our extension handshake tells the peer. */
export interface SelfDescription {
  /** Raw, once known. */
  readonly infoDict: Uint8Array | undefined;
  /** We want nothing (BEP 21). */
  readonly uploadOnly: boolean;
  /** We take reports of hosts. */
  readonly collects: boolean;
}
