// The picker's view of a peer, and its answer to a block that arrived.
import type { Bitfield } from "../torrent/bitfield.ts";
import type { PeerHandle, PieceIndex } from "../torrent/ids.ts";

/** A peer as the picker sees it. Only the picker writes `pickable`, `wanted` and `counted`. */
export interface PickerPeer {
  readonly handle: PeerHandle;
  /** Pieces the peer has. */
  readonly bitfield: Bitfield;
  /** Pieces that the peer has and of which nothing is requested: zero spares the picker a search. */
  pickable: number;
  /** Pieces that the peer has and we lack: above zero we are interested (BEP 3). */
  wanted: number;
  /** True when the peer's pieces count in the availability; those of complete peers do not. */
  counted: boolean;
  /** Pieces that the peer suggested (BEP 6) and that are not started, oldest first. */
  readonly suggested: PieceIndex[];
}

export type Receipt =
  | { readonly kind: "unwanted" }
  | {
      readonly kind: "kept";
      /** Bytes of the run that were missing. */
      readonly newBytes: number;
      /** Other peers with requests for these blocks; the caller cancels a request when all of its blocks are received. */
      readonly cancel: readonly PeerHandle[];
      readonly pieceComplete: boolean;
    };
