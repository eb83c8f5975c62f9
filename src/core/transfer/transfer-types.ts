// The events of a transfer (facts, in the past tense) and its effects (orders to the shell). Both carry coordinates; the
// bytes of a block never pass through the core.
import type { PeerHandle, PieceIndex } from "../torrent/ids.ts";
import type { Block, PeerFault, PeerMessage } from "../torrent/peer-message.ts";

export type TransferEvent =
  /** A handshake was completed. `haveNoneSent`: before the metadata was known the peer was told that we have no piece. */
  | {
      readonly type: "peerJoined";
      readonly peer: PeerHandle;
      readonly fast: boolean;
      readonly haveNoneSent: boolean;
      /** The peer is another program than p2pfile. @default false */
      readonly otherClient?: boolean;
    }
  | { readonly type: "peerLeft"; readonly peer: PeerHandle }
  /** Requests that the peer queues (`reqq` of its extension handshake, BEP 10). */
  | { readonly type: "peerQueueLimit"; readonly peer: PeerHandle; readonly requests: number }
  /** The longest request that the peer answers, in bytes; BLOCK_LENGTH until this event. */
  | { readonly type: "peerRequestLength"; readonly peer: PeerHandle; readonly bytes: number }
  | { readonly type: "received"; readonly peer: PeerHandle; readonly message: PeerMessage }
  /** The socket took these payload bytes of earlier `serveBlock` effects. */
  | { readonly type: "uploaded"; readonly peer: PeerHandle; readonly bytes: number }
  /** A block could not be read: its request is rejected. */
  | { readonly type: "serveFailed"; readonly peer: PeerHandle; readonly block: Block }
  /** Answer to `verifyPiece`: 20 bytes. */
  | { readonly type: "pieceHashed"; readonly piece: PieceIndex; readonly digest: Uint8Array }
  /** A piece that was in the file before the transfer began was hashed and compared. */
  | { readonly type: "pieceChecked"; readonly piece: PieceIndex; readonly isRight: boolean }
  /** Answer to `digestBlocks`: 20 bytes per block. */
  | { readonly type: "blocksHashed"; readonly piece: PieceIndex; readonly digests: Uint8Array }
  /** Our disk is behind and no socket is read, or all sockets are read again. */
  | { readonly type: "paused"; readonly paused: boolean }
  | { readonly type: "ticked" };

export type TransferEffect =
  | { readonly type: "send"; readonly peer: PeerHandle; readonly message: PeerMessage }
  /** Read the block from the file and send it; report `uploaded` when the socket took it. */
  | { readonly type: "serveBlock"; readonly peer: PeerHandle; readonly block: Block }
  /** Keep the bytes of the block message that is handled. Without this effect they are dropped. */
  | { readonly type: "writeBlock"; readonly block: Block }
  /** All blocks of the piece were written: hash it and answer `pieceHashed`. */
  | { readonly type: "verifyPiece"; readonly piece: PieceIndex }
  /** Hash each block of the piece as it is in the file, and answer `blocksHashed`. */
  | { readonly type: "digestBlocks"; readonly piece: PieceIndex }
  /** The piece passed its hash: record it. */
  | { readonly type: "pieceVerified"; readonly piece: PieceIndex }
  /** The piece failed its hash and is missing again. */
  | { readonly type: "pieceFailed"; readonly piece: PieceIndex }
  | { readonly type: "closePeer"; readonly peer: PeerHandle; readonly fault: PeerFault }
  /** A peer that has disconnected is proved a culprit: ban its address. */
  | { readonly type: "banDisconnected"; readonly peer: PeerHandle }
  | { readonly type: "completed" };

/** A snapshot of a transfer. Rates in bytes per second. */
export interface TransferStatus {
  readonly completedBytes: number;
  readonly isComplete: boolean;
  readonly downloadRate: number;
  readonly uploadRate: number;
  /** Payload bytes since the start. */
  readonly downloaded: number;
  readonly uploaded: number;
  /** Payload bytes that arrived without a request, twice, or in pieces that failed. */
  readonly wasted: number;
  /** Pieces that failed their hash since the last verified piece: above 0 perhaps no peer has good data. */
  readonly wrongInARow: number;
  readonly peers: number;
  readonly seeds: number;
}
