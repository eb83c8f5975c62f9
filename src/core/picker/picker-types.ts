// What the picker is told of a peer and what it says of a block that arrived.
import type { Bitfield } from "../torrent/bitfield.ts";
import type { PeerHandle, PieceIndex } from "../torrent/ids.ts";

/** What the picker knows of a peer. It keeps the three counters; nobody else writes them. */
export interface PickerPeer {
  readonly handle: PeerHandle;
  /** Pieces the peer has. */
  readonly bitfield: Bitfield;
  /** Pieces it has and nobody works on: zero means that no search is needed. */
  pickable: number;
  /** Pieces it has and we lack: above zero we are interested (BEP 3). */
  wanted: number;
  /** Whether its pieces count in the availability; complete peers do not. */
  counted: boolean;
  /** Pieces it wants us to fetch from it and that we have not begun, oldest first. */
  readonly suggested: PieceIndex[];
}

export type Receipt =
  | { readonly kind: "unwanted" }
  | {
      readonly kind: "kept";
      /** Bytes that were not here before. */
      readonly newBytes: number;
      /** Other peers that were asked for any of them: what they need not send any more can be cancelled. */
      readonly cancel: readonly PeerHandle[];
      readonly pieceComplete: boolean;
    };
