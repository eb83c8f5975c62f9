// What can happen to a transfer (events: facts in the past) and what it wants done (effects: orders to the shell).
// Both speak in coordinates; the bytes of a block never pass through the core.
import type { PeerHandle, PieceIndex } from "../torrent/ids.ts";
import type { Block, PeerFault, PeerMessage } from "../torrent/peer-message.ts";

export type TransferEvent =
  /** A handshake was completed. `greeted`: the connection has already said what we have (nothing), before metadata. */
  | {
      readonly type: "peerJoined";
      readonly peer: PeerHandle;
      readonly fast: boolean;
      readonly greeted: boolean;
      /** The peer is another program than p2pfile. @default false */
      readonly otherClient?: boolean;
    }
  | { readonly type: "peerLeft"; readonly peer: PeerHandle }
  /** Requests the peer is willing to hold (`reqq` of its extension handshake). */
  | { readonly type: "peerQueueLimit"; readonly peer: PeerHandle; readonly requests: number }
  /** The longest request the peer answers, in bytes; BLOCK_LENGTH until it says so. */
  | { readonly type: "peerRequestLength"; readonly peer: PeerHandle; readonly bytes: number }
  | { readonly type: "received"; readonly peer: PeerHandle; readonly message: PeerMessage }
  /** The socket took these payload bytes of earlier `serveBlock` effects. */
  | { readonly type: "uploaded"; readonly peer: PeerHandle; readonly bytes: number }
  /** A block could not be read for a peer; it is told so. */
  | { readonly type: "serveFailed"; readonly peer: PeerHandle; readonly block: Block }
  /** Answer to `verifyPiece`: 20 bytes. */
  | { readonly type: "pieceHashed"; readonly piece: PieceIndex; readonly digest: Uint8Array }
  /** Answer to `digestBlocks`: 20 bytes per block. */
  | { readonly type: "blocksHashed"; readonly piece: PieceIndex; readonly digests: Uint8Array }
  /** Our disk is behind and no socket is read from now on, or all are read again. */
  | { readonly type: "paused"; readonly paused: boolean }
  | { readonly type: "ticked" };

export type TransferEffect =
  | { readonly type: "send"; readonly peer: PeerHandle; readonly message: PeerMessage }
  /** Read the block from the file and send it; report `uploaded` when the socket took it. */
  | { readonly type: "serveBlock"; readonly peer: PeerHandle; readonly block: Block }
  /** Keep the bytes of the block message being handled. Not ordered: throw them away. */
  | { readonly type: "writeBlock"; readonly block: Block }
  /** All blocks of the piece were written: hash it and answer `pieceHashed`. */
  | { readonly type: "verifyPiece"; readonly piece: PieceIndex }
  /** Hash each BLOCK_LENGTH bytes of the piece as they stand in the file, wrong or right, and answer `blocksHashed`. */
  | { readonly type: "digestBlocks"; readonly piece: PieceIndex }
  /** The piece is right: record it. */
  | { readonly type: "pieceVerified"; readonly piece: PieceIndex }
  /** The piece was wrong and is wanted again. */
  | { readonly type: "pieceFailed"; readonly piece: PieceIndex }
  | { readonly type: "closePeer"; readonly peer: PeerHandle; readonly fault: PeerFault }
  /** What a peer gave is proved wrong and it has left already: it is to be known when it comes back. */
  | { readonly type: "banDisconnected"; readonly peer: PeerHandle }
  | { readonly type: "completed" };

/** What the outside may know of a transfer at a moment. Rates in bytes per second. */
export interface TransferStatus {
  readonly completedBytes: number;
  readonly isComplete: boolean;
  readonly downloadRate: number;
  readonly uploadRate: number;
  /** Payload bytes since the start. */
  readonly downloaded: number;
  readonly uploaded: number;
  /** Payload bytes that arrived unasked, twice, or in pieces that failed. */
  readonly wasted: number;
  /** Pieces that failed their hash since one was right: above 0 nobody may have good data. */
  readonly wrongInARow: number;
  readonly peers: number;
  readonly seeds: number;
}
