// What a peer that joins is told of our pieces.
import type { Bitfield } from "../torrent/bitfield.ts";
import { pieceIndex } from "../torrent/ids.ts";
import type { PeerMessage } from "../torrent/peer-message.ts";

export interface Greeted {
  /** Both sides speak the fast extension (BEP 6). */
  readonly fast: boolean;
  /** It was told before that we have no piece. */
  readonly haveNoneSent: boolean;
}

/** `have`: verified pieces. */
export function firstMessages(have: Bitfield, { fast, haveNoneSent }: Greeted): PeerMessage[] {
  // A bitfield must be a connection's first message (BEP 3): after it each piece takes a have.
  if (haveNoneSent) {
    const messages: PeerMessage[] = [];
    have.forEachSet((index) => messages.push({ type: "have", piece: pieceIndex(index) }));
    return messages;
  }
  if (have.isFull && fast) return [{ type: "haveAll" }];
  if (have.isEmpty) return fast ? [{ type: "haveNone" }] : [];
  return [{ type: "bitfield", bytes: have.bytes.slice() }];
}
