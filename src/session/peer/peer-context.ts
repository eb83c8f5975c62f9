// What a connection uses of the process that it belongs to: the network node provides it, and tests bring their own.
import type { PeerAddress } from "../../core/format/peer-address.ts";
import type { TokenBucket } from "../../core/rate/token-bucket.ts";
import type { PeerId } from "../../core/torrent/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import type { FlushTurn } from "./flush-turn.ts";

/** What a connection uses of the process that it belongs to. */
export interface PeerContext {
  readonly peerId: PeerId;
  /** Where this process accepts connections. */
  readonly address: PeerAddress;
  readonly logger: Logger;
  readonly uploadBucket: TokenBucket;
  readonly downloadBucket: TokenBucket;
  readonly flushTurn: FlushTurn;
}
